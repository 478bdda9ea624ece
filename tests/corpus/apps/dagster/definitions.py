"""A warehouse of three tables, a job, a schedule and a sensor, as the tutorial has them."""

# No future annotations: Dagster reads those of contexts while it decorates.
import dagster as dg

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-01-10")


class Shop(dg.Config):
    """What an operator may set."""

    limit: int = 10
    token: str = "none"


@dg.asset(group_name="raw", description="Orders as the shop has them.")
def orders(context: dg.AssetExecutionContext, config: Shop) -> list[int]:
    """Return some orders."""
    context.log.info("reading %s orders", config.limit)
    context.add_output_metadata({"rows": config.limit, "preview": dg.MetadataValue.md("| a |")})
    return list(range(config.limit))


@dg.asset(group_name="reports", deps=["orders"], owners=["team:books"], kinds={"sql"})
def revenue() -> None:
    """Nothing to do."""


@dg.asset(partitions_def=DAYS, group_name="raw")
def visits(context: dg.AssetExecutionContext) -> str:
    """Return the day."""
    return context.partition_key


@dg.asset_check(asset="orders")
def orders_are_there() -> dg.AssetCheckResult:
    """Pass."""
    return dg.AssetCheckResult(passed=True, metadata={"rows": 10})


@dg.op(config_schema={"name": str})
def greet(context: dg.OpExecutionContext) -> str:
    """Return a greeting."""
    return f"Hello {context.op_config['name']}"


@dg.op
def fail(greeting: str) -> None:
    """Fail."""
    raise ValueError(greeting)


@dg.job(tags={"team": "books"})
def greeting() -> None:
    """Greet, and fail."""
    fail(greet())


report = dg.define_asset_job("report", selection=["orders", "revenue"])
nightly = dg.ScheduleDefinition(job=report, cron_schedule="0 3 * * *")


@dg.sensor(job=report, minimum_interval_seconds=60)
def arrivals(context: dg.SensorEvaluationContext) -> dg.SkipReason:
    """Skip."""
    return dg.SkipReason(f"nothing arrived since {context.cursor}")


defs = dg.Definitions(
    assets=[orders, revenue, visits],
    asset_checks=[orders_are_there],
    jobs=[greeting, report],
    schedules=[nightly],
    sensors=[arrivals],
)
