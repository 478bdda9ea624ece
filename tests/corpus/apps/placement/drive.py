"""OpenStack Placement: what there is of resources, and who took them (WSGI, SQLAlchemy)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

SETTINGS = """
[DEFAULT]
debug = true
[api]
auth_strategy = noauth2
[placement_database]
connection = postgresql+psycopg2://postgres:secret@{postgresql}
sync_on_startup = true
"""

HOST = "11111111-0000-4000-8000-000000000001"
OTHER = "11111111-0000-4000-8000-000000000002"
DISK = "11111111-0000-4000-8000-000000000003"
GROUP = "22222222-0000-4000-8000-000000000001"
SERVER = "33333333-0000-4000-8000-000000000001"
SECOND = "33333333-0000-4000-8000-000000000002"
OWNER = {"project_id": "garden", "user_id": "ann"}


def prepare(place: Place) -> None:
    """Write the settings."""
    (place.state / "placement.conf").write_text(place.fill(SETTINGS))


def drive(visitor: Visitor) -> None:
    """Register hosts, say what they have, look for room, take it, move it, give it back."""
    known = {"X-Auth-Token": "admin", "OpenStack-API-Version": "placement 1.39"}

    def ask(method: str, path: str, *expect: int, **how: object) -> dict[str, object]:
        answer = visitor.ask(method, path, *expect, headers=known, **how)
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return answer.json() if is_json else {}

    visitor.get("/", 200)
    visitor.get("/resource_providers", 401)
    ask("GET", "/resource_classes")
    ask("PUT", "/resource_classes/CUSTOM_LEMONS", 201)
    ask("PUT", "/resource_classes/lemons", 400, 404)
    ask("GET", "/resource_classes/CUSTOM_LEMONS")
    ask("GET", "/traits?name=startswith:HW_CPU_X86_AVX")
    ask("PUT", "/traits/CUSTOM_SUNNY", 201)
    ask("GET", "/traits/CUSTOM_SUNNY", 204)
    ask("POST", "/resource_providers", json={"name": "host-1", "uuid": HOST})
    ask("POST", "/resource_providers", json={"name": "host-2", "uuid": OTHER})
    ask("POST", "/resource_providers", json={"name": "disk-1", "uuid": DISK})
    ask("POST", "/resource_providers", 409, json={"name": "host-1"})
    ask("POST", "/resource_providers", 400, json={"title": "host-1"})
    own = {
        "VCPU": {"total": 16, "allocation_ratio": 4.0},
        "MEMORY_MB": {"total": 65536, "reserved": 512, "step_size": 64},
        "CUSTOM_LEMONS": {"total": 7},
    }
    for host in (HOST, OTHER):
        given = {"resource_provider_generation": 0, "inventories": own}
        ask("PUT", f"/resource_providers/{host}/inventories", json=given)
    shared = {"resource_provider_generation": 0, "inventories": {"DISK_GB": {"total": 4000}}}
    ask("PUT", f"/resource_providers/{DISK}/inventories", json=shared)
    ask(
        "PUT",
        f"/resource_providers/{DISK}/inventories",
        409,
        json=shared | {"resource_provider_generation": 9},
    )
    for host, generation in ((HOST, 1), (OTHER, 1), (DISK, 1)):
        given = {"aggregates": [GROUP], "resource_provider_generation": generation}
        ask("PUT", f"/resource_providers/{host}/aggregates", json=given)
    traits = {"resource_provider_generation": 2, "traits": ["MISC_SHARES_VIA_AGGREGATE"]}
    ask("PUT", f"/resource_providers/{DISK}/traits", json=traits)
    traits = {"resource_provider_generation": 2, "traits": ["CUSTOM_SUNNY", "HW_CPU_X86_AVX2"]}
    ask("PUT", f"/resource_providers/{HOST}/traits", json=traits)
    ask("GET", "/resource_providers?resources=VCPU:2,MEMORY_MB:1024&required=CUSTOM_SUNNY")
    ask("GET", f"/resource_providers?member_of=in:{GROUP}")
    ask("GET", f"/resource_providers/{HOST}")
    ask("GET", f"/resource_providers/{SERVER}", 404)
    wanted = "resources=VCPU:2,MEMORY_MB:1024,DISK_GB:20"
    ask("GET", f"/allocation_candidates?{wanted}")
    ask("GET", f"/allocation_candidates?{wanted}&required=CUSTOM_SUNNY&limit=1")
    ask("GET", f"/allocation_candidates?{wanted}&required=!CUSTOM_SUNNY")
    ask("GET", "/allocation_candidates?resources1=VCPU:1&resources2=VCPU:2&group_policy=isolate")
    ask("GET", "/allocation_candidates?resources=CUSTOM_NOTHING:1", 400)
    taken = {
        "allocations": {
            HOST: {"resources": {"VCPU": 2, "MEMORY_MB": 1024}},
            DISK: {"resources": {"DISK_GB": 20}},
        },
        **OWNER,
        "consumer_generation": None,
        "consumer_type": "INSTANCE",
    }
    ask("PUT", f"/allocations/{SERVER}", 204, json=taken)
    ask("PUT", f"/allocations/{SERVER}", 409, json=taken)
    ask("GET", f"/allocations/{SERVER}")
    too_much = {**taken, "allocations": {HOST: {"resources": {"VCPU": 999}}}}
    ask("PUT", f"/allocations/{SECOND}", 409, json=too_much)
    moved = {
        SERVER: {**taken, "allocations": {}, "consumer_generation": 1},
        SECOND: {**taken, "allocations": {OTHER: {"resources": {"VCPU": 4, "CUSTOM_LEMONS": 3}}}},
    }
    ask("POST", "/allocations", 204, json=moved)
    ask("GET", f"/resource_providers/{OTHER}/usages")
    ask("GET", f"/resource_providers/{OTHER}/allocations")
    ask("GET", "/usages?project_id=garden&user_id=ann", 500)  # a grouping that PostgreSQL refuses
    ask("GET", "/usages?project_id=garden&consumer_type=all", 200, 500)
    ask("DELETE", f"/resource_providers/{OTHER}", 409)
    ask("DELETE", f"/allocations/{SECOND}", 204)
    ask("DELETE", f"/allocations/{SECOND}", 404)
    ask("DELETE", f"/resource_providers/{OTHER}", 204)
    ask("GET", "/nowhere", 404)
    visitor.get(
        "/resource_providers", 406, headers=known | {"OpenStack-API-Version": "placement 9.9"}
    )


APP = Application(
    name="placement",
    framework="WSGI",
    uses=("PostgreSQL",),
    packages=(
        "openstack-placement==16.0.0",
        "psycopg2-binary==2.9.11",
        "gunicorn==23.0.0",
    ),
    server=(
        "gunicorn",
        "-b",
        "127.0.0.1:{port}",
        "--threads",
        "2",
        "placement.wsgi.api:application",
    ),
    environment={"OS_PLACEMENT_CONFIG_DIR": "{state}"},
    needs=frozenset({"postgresql"}),
    prepare=prepare,
    drive=drive,
)
