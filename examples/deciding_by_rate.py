"""Deciding by rate: a share of all traces, the same ones in every service, and by tenant.

`python examples/deciding_by_rate.py` draws traces, and shows what two services record.
"""

from __future__ import annotations

import secrets

from retrace_mw import RequestView, make_request
from retrace_mw.deciders import SampleRate

TRACES = [f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01" for _ in range(5000)]


def of_trace(traceparent: str, tenant: str = "") -> RequestView:
    """Return a request that belongs to a trace, as a caller sends it on."""
    return make_request("/", headers={"traceparent": traceparent, "X-Tenant": tenant})


def recorded(sampler: SampleRate, tenant: str = "") -> set[str]:
    """Return the traces that a service with this sampler records."""
    return {one for one in TRACES if sampler(of_trace(one, tenant)).verdict == "yes"}


def main() -> None:
    """Show that one service's traces are among the other's, and that tenants differ."""
    pricing, storefront = recorded(SampleRate(0.3)), recorded(SampleRate(0.1))
    print(f"pricing at 0.3 records {len(pricing)} of {len(TRACES)} traces")
    print(f"storefront at 0.1 records {len(storefront)}, all of them whole")
    assert storefront < pricing

    by_tenant = SampleRate(0.01, by="header:x-tenant", rates={"acme": 1.0, "noisy": 0.0})
    for tenant in ("acme", "noisy", "anyone else"):
        print(f"tenant {tenant}: {len(recorded(by_tenant, tenant))}")
    assert len(recorded(by_tenant, "acme")) == len(TRACES)
    assert not recorded(by_tenant, "noisy")


if __name__ == "__main__":
    main()
