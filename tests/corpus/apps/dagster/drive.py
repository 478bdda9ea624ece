"""Dagster: assets, jobs and their runs, as its web interface asks for them (Starlette, GraphQL)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

SETTINGS = """telemetry:
  enabled: false
run_coordinator:
  module: dagster.core.run_coordinator
  class: DefaultRunCoordinator
"""
WORKSPACE = """{ workspaceOrError { __typename ... on Workspace { id locationEntries { id name
  loadStatus displayMetadata { key value } updatedTimestamp permissions { permission value }
  locationOrLoadError { __typename ... on PythonError { message stack }
  ... on RepositoryLocation { id name dagsterLibraryVersions { name version }
  repositories { id name pipelines { id name isJob isAssetJob }
  schedules { id name cronSchedule scheduleState { id status } }
  sensors { id name sensorType targets { pipelineName } sensorState { id status } }
  assetGroups { id groupName } allTopLevelResourceDetails { id name } } } } } } } }"""
ASSETS = """{ assetNodes { id assetKey { path } groupName description kinds opNames
  owners { __typename ... on TeamAssetOwner { team } } isPartitioned jobNames
  dependencyKeys { path } dependedByKeys { path } staleStatus
  partitionStats { numMaterialized numPartitions numFailed }
  assetMaterializations(limit: 1) { timestamp runId } } }"""
LAUNCH = """mutation($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
  __typename ... on LaunchRunSuccess { run { id status pipelineName } }
  ... on RunConfigValidationInvalid { errors { message reason } }
  ... on PipelineNotFoundError { message } ... on PythonError { message stack } } }"""
RUN = """query($id: ID!) { runOrError(runId: $id) { __typename ... on Run { id status startTime
  endTime tags { key value } runConfigYaml stats { __typename
  ... on RunStatsSnapshot { stepsSucceeded stepsFailed startTime endTime } }
  stepStats { stepKey status startTime endTime } assets { id key { path } } }
  ... on RunNotFoundError { message } } }"""
LOGS = """query($id: ID!) { logsForRun(runId: $id, limit: 500) { __typename
  ... on EventConnection { cursor hasMore events { __typename
  ... on MessageEvent { message timestamp level stepKey eventType }
  ... on ExecutionStepFailureEvent { error { message stack causes { message } } } } }
  ... on RunNotFoundError { message } } }"""
ASSET = """query($key: AssetKeyInput!) { assetOrError(assetKey: $key) { __typename
  ... on Asset { id key { path } assetMaterializations(limit: 5) { timestamp runId
  metadataEntries { label description ... on IntMetadataEntry { intValue }
  ... on MarkdownMetadataEntry { mdStr } ... on TextMetadataEntry { text } } }
  definition { id groupName hasMaterializePermission partitionKeys
  configField { name isRequired } } } ... on AssetNotFoundError { message } } }"""
INSTANCE = """{ instance { id info hasInfo daemonHealth { id allDaemonStatuses { daemonType
  required healthy lastHeartbeatTime } } concurrencyLimits { concurrencyKey slotCount }
  runQueuingSupported executablePath } }"""
CONFIG = """query($p: PipelineSelector!, $c: RunConfigData) { isPipelineConfigValid(pipeline: $p,
  mode: "default", runConfigData: $c) { __typename ... on RunConfigValidationInvalid {
  errors { message reason path: stack { entries { __typename } } } }
  ... on PipelineConfigValidationValid { pipelineName } } }"""
PLAN = """query($p: PipelineSelector!, $c: RunConfigData) { executionPlanOrError(pipeline: $p,
  mode: "default", runConfigData: $c) { __typename ... on ExecutionPlan { steps { key kind
  inputs { name dependsOn { key } } } } ... on PythonError { message } } }"""
SCHEMA = """query($p: PipelineSelector!) { runConfigSchemaOrError(selector: $p, mode: "default") {
  __typename ... on RunConfigSchema { rootDefaultYaml allConfigTypes { key description } }
  ... on PipelineNotFoundError { message } } }"""
GRAPH = """query($p: PipelineSelector!) { pipelineOrError(params: $p) { __typename ... on Pipeline {
  id name description tags { key value } solidHandles { handleID solid { name
  inputs { definition { name } dependsOn { definition { name } solid { name } } } } }
  runs(limit: 3) { id status } } ... on PipelineNotFoundError { message } } }"""
SCHEDULE = """query($s: ScheduleSelector!) { scheduleOrError(scheduleSelector: $s) { __typename
  ... on Schedule { id name cronSchedule executionTimezone futureTicks(limit: 3) { results {
  timestamp } } scheduleState { id status ticks(limit: 5) { id status } } }
  ... on ScheduleNotFoundError { message } } }"""
TURN_SCHEDULE = """mutation($s: ScheduleSelector!) { startSchedule(scheduleSelector: $s) {
  __typename ... on ScheduleStateResult { scheduleState { id status runningCount } }
  ... on UnauthorizedError { message } ... on PythonError { message stack } } }"""
TRY_SENSOR = """mutation($s: SensorSelector!) { sensorDryRun(selectorData: $s, cursor: "yesterday")
  { __typename ... on DryRunInstigationTick { evaluationResult { skipReason cursor
  runRequests { runKey } error { message } } } ... on SensorNotFoundError { message } } }"""
CURSOR = """mutation($s: SensorSelector!) { setSensorCursor(sensorSelector: $s, cursor: "12") {
  __typename ... on Sensor { id sensorState { id typeSpecificData { __typename
  ... on SensorData { lastCursor } } } } ... on PythonError { message } } }"""
RUNS = """query($f: RunsFilter, $n: Int) { pipelineRunsOrError(filter: $f, limit: $n) { __typename
  ... on Runs { results { id runId status pipelineName mode creationTime tags { key value } }
  count } ... on InvalidPipelineRunsFilterError { message } } }"""
FEED = """{ runsFeedOrError(limit: 10, view: ROOTS) { __typename ... on RunsFeedConnection {
  hasMore cursor results { id creationTime startTime endTime runStatus tags { key value } } } } }"""
BACKFILL = """mutation($p: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $p) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  ... on PartitionKeysNotFoundError { message } } }"""
BACKFILLS = """{ partitionBackfillsOrError(limit: 5) { __typename ... on PartitionBackfills {
  results { id status numPartitions timestamp partitionNames assetSelection { path } } } } }"""
WIPE = """mutation($r: [PartitionsByAssetSelector!]!) { wipeAssets(assetPartitionRanges: $r) {
  __typename ... on AssetWipeSuccess { assetPartitionRanges { assetKey { path } } }
  ... on PythonError { message } } }"""
DELETE = """mutation($id: String!) { deletePipelineRun(runId: $id) { __typename
  ... on DeletePipelineRunSuccess { runId } ... on RunNotFoundError { message } } }"""
LIMIT = """mutation { setConcurrencyLimit(concurrencyKey: "database", limit: 2) }"""
RELOAD = """mutation { reloadRepositoryLocation(repositoryLocationName: "definitions.py") {
  __typename ... on WorkspaceLocationEntry { id loadStatus } ... on PythonError { message } } }"""
WHERE = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "definitions.py",
}


def prepare(place: Place) -> None:
    """Write the instance's settings."""
    (place.state / "dagster.yaml").write_text(SETTINGS)


def drive(visitor: Visitor) -> None:
    """Look at the workspace, launch jobs, follow them, report, schedule, try a sensor, clean up."""

    def ask(query: str, *expect: int, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = visitor.post("/graphql", *expect, json=body).json()
        if answer.get("errors") and not expect:
            raise RuntimeError(f"{query[:80]}: {answer}")
        return answer.get("data")

    visitor.get("/")
    visitor.get("/server_info")
    ask(WORKSPACE)
    ask(ASSETS)
    ask(INSTANCE)
    job = {**WHERE, "pipelineName": "greeting"}
    good = {"ops": {"greet": {"config": {"name": "Ada"}}}}
    ask(GRAPH, p=job)
    ask(GRAPH, p={**job, "pipelineName": "absent"})
    ask(SCHEMA, p=job)
    ask(CONFIG, p=job, c=good)
    ask(CONFIG, p=job, c={"ops": {"greet": {"config": {"nam": 3}}}})
    ask(PLAN, p=job, c=good)
    selector = {**WHERE, "jobName": "greeting"}
    params = {"selector": selector, "mode": "default", "runConfigData": good}
    ask(LAUNCH, params={**params, "runConfigData": {"ops": {}}})
    ask(LAUNCH, params={**params, "selector": {**selector, "jobName": "absent"}})
    launched = ask(LAUNCH, params=params)["launchPipelineExecution"]["run"]["id"]
    follow(ask, launched)
    ask(LOGS, id=launched)
    visitor.get(f"/download_debug/{launched}")
    shop = {"ops": {"orders": {"config": {"limit": 3, "token": "s3cr3t-of-the-shop"}}}}
    report = {"selector": {**selector, "jobName": "report"}, "mode": "default"}
    made = ask(LAUNCH, params={**report, "runConfigData": shop})
    follow(ask, made["launchPipelineExecution"]["run"]["id"])
    ask(ASSET, key={"path": ["orders"]})
    ask(ASSET, key={"path": ["absent"]})
    ask(ASSETS)
    ask(RUNS, n=10)
    ask(RUNS, f={"statuses": ["FAILURE"], "tags": [{"key": "team", "value": "books"}]}, n=5)
    ask(FEED)
    ask(RUN, id="11111111-1111-1111-1111-111111111111")
    visitor.post("/report_asset_materialization/revenue", json={"metadata": {"rows": 3}})
    visitor.post("/report_asset_observation/revenue?description=seen")
    visitor.post("/report_asset_materialization/", 400, json={})
    ask(ASSET, key={"path": ["revenue"]})
    ask(SCHEDULE, s={**WHERE, "scheduleName": "report_schedule"})
    ask(TURN_SCHEDULE, s={**WHERE, "scheduleName": "report_schedule"})
    ask(SCHEDULE, s={**WHERE, "scheduleName": "absent"})
    ask(TRY_SENSOR, s={**WHERE, "sensorName": "arrivals"})
    ask(CURSOR, s={**WHERE, "sensorName": "arrivals"})
    days = ["2026-01-02", "2026-01-03"]
    ask(BACKFILL, p={"partitionNames": days, "assetSelection": [{"path": ["visits"]}]})
    ask(BACKFILLS)
    ask(LIMIT)
    ask(RELOAD)
    ask(WIPE, r=[{"assetKey": {"path": ["orders"]}}])
    ask(DELETE, id=launched)
    ask(DELETE, id=launched)
    ask("{ nonsense }", 400)
    visitor.post("/graphql", 400, content=b"{", headers={"Content-Type": "application/json"})
    visitor.get("/graphql?query={version}")


def follow(ask: Any, run: str) -> None:
    """Ask for a run once a second, as the page does, until it has ended."""
    deadline = time.monotonic() + 90
    while ask(RUN, id=run)["runOrError"]["status"] not in ("SUCCESS", "FAILURE"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"run {run} has not ended")
        time.sleep(1)


APP = Application(
    name="dagster",
    framework="Starlette",
    uses=("SQLite", "gRPC", "files", "threads"),
    packages=(
        "dagster-webserver==1.13.28",
        "dagster==1.13.28",
        "starlette==1.10.0",
        "uvicorn==0.54.0",
        "sqlalchemy==2.1.9",
    ),
    server=("dagster-webserver", "-h", "127.0.0.1", "-p", "{port}", "-f", "definitions.py"),
    environment={"DAGSTER_HOME": "{state}", "DAGSTER_DISABLE_TELEMETRY": "1"},
    prepare=prepare,
    drive=drive,
)
