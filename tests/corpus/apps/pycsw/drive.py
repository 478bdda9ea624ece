"""pycsw: a catalogue of maps, by CSW, OpenSearch, OAI-PMH and SRU (WSGI on 1.4.54lchemy)."""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

CONFIG = """
[server]
home={state}
url=http://127.0.0.1:{port}/csw
mimetype=application/xml; charset=UTF-8
encoding=UTF-8
language=en-US
maxrecords=10
pretty_print=true
profiles=apiso
[manager]
transactions=true
allowed_ips=127.0.0.1
[metadata:main]
identification_title=Maps
identification_abstract=Maps of rivers
identification_keywords=catalogue,maps
identification_keywords_type=theme
identification_fees=None
identification_accessconstraints=None
provider_name=Survey
provider_url=https://survey.example/
contact_name=Carl
contact_position=Clerk
contact_address=Street 1
contact_city=City
contact_stateorprovince=State
contact_postalcode=12345
contact_country=Country
contact_phone=+49-170-5550100
contact_fax=+49-170-5550101
contact_email=maps@survey.example
contact_url=https://survey.example/contact
contact_hours=9-5
contact_instructions=Call
contact_role=pointOfContact
[repository]
database=sqlite:///{state}/records.db
table=records
[metadata:inspire]
enabled=false
"""
TABLES = """
from pycsw.core import admin
from pycsw.core.config import StaticContext
database = "sqlite:///{state}/records.db"
admin.setup_db(database, "records", "{state}")
admin.load_records(StaticContext(), database, "records", "{state}/xml")
"""
NAMES = (
    'xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" xmlns:ogc="http://www.opengis.net/ogc"'
    ' xmlns:gml="http://www.opengis.net/gml" service="CSW" version="2.0.2"'
)
RECORD = """<csw:Record xmlns:csw="http://www.opengis.net/cat/csw/2.0.2"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dct="http://purl.org/dc/terms/"
 xmlns:ows="http://www.opengis.net/ows">
<dc:identifier>urn:x:{n}</dc:identifier><dc:type>http://purl.org/dc/dcmitype/Dataset</dc:type>
<dc:title>Map {n} of rivers</dc:title><dc:subject>Hydrography</dc:subject>
<dct:abstract>Rivers of region {n}, by ann{n}@survey.example</dct:abstract>
<dc:date>2006-03-1{n}</dc:date><dc:creator>ann{n}@survey.example</dc:creator>
<ows:BoundingBox crs="urn:x-ogc:def:crs:EPSG:6.11:4326">
<ows:LowerCorner>4{n}.0 1{n}.0</ows:LowerCorner><ows:UpperCorner>5{n}.0 2{n}.0</ows:UpperCorner>
</ows:BoundingBox></csw:Record>"""
QUERY = (
    f'<csw:GetRecords {NAMES} resultType="results" startPosition="1" maxRecords="5"'
    ' outputFormat="application/xml"><csw:Query typeNames="csw:Record">'
    '<csw:ElementSetName>full</csw:ElementSetName><csw:Constraint version="1.1.0"><ogc:Filter>'
    "{filter}</ogc:Filter></csw:Constraint><ogc:SortBy><ogc:SortProperty><ogc:PropertyName>"
    "dc:title</ogc:PropertyName><ogc:SortOrder>DESC</ogc:SortOrder></ogc:SortProperty>"
    "</ogc:SortBy></csw:Query></csw:GetRecords>"
)
ONE = (
    '<csw:Constraint version="1.1.0"><ogc:Filter><ogc:PropertyIsEqualTo><ogc:PropertyName>'
    "dc:identifier</ogc:PropertyName><ogc:Literal>urn:x:9</ogc:Literal></ogc:PropertyIsEqualTo>"
    "</ogc:Filter></csw:Constraint>"
)


class Neighbour(BaseHTTPRequestHandler):
    """Another catalogue, of which a record is harvested."""

    def do_GET(self) -> None:
        body = RECORD.format(n=6).replace("urn:x:6", "urn:y:6").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def prepare(place: Place) -> None:
    """Write the settings, make the table, load eight records."""
    (place.state / "xml").mkdir()
    for number in range(8):
        (place.state / "xml" / f"{number}.xml").write_text(RECORD.format(n=number))
    (place.state / "pycsw.cfg").write_text(place.fill(CONFIG))
    place.run(str(place.python), "-", given=place.fill(TABLES))


def literal(kind: str, name: str, value: str, attributes: str = "") -> str:
    """Return a comparison of a filter."""
    return (
        f"<ogc:{kind}{attributes}><ogc:PropertyName>{name}</ogc:PropertyName>"
        f"<ogc:Literal>{value}</ogc:Literal></ogc:{kind}>"
    )


def drive(visitor: Visitor) -> None:
    """Ask what there is, by five protocols; search, add, change, remove, harvest."""
    ask = "/csw?service=CSW&version=2.0.2&request="
    find = f"{ask}GetRecords&typenames=csw:Record&resulttype="
    visitor.get(f"{ask}GetCapabilities")
    visitor.get("/csw?service=CSW&version=3.0.0&request=GetCapabilities")
    visitor.get(f"{ask}DescribeRecord")
    visitor.get(f"{ask}GetDomain&propertyname=dc:type")
    visitor.get(f"{ask}GetDomain&parametername=GetRecords.resultType")
    visitor.get(f"{find}results&elementsetname=full")
    visitor.get(f"{find}hits&elementsetname=brief")
    like = "&constraintlanguage=CQL_TEXT&constraint=dc:title like '%25rivers%25'"
    visitor.get(f"{find}results&elementsetname=full{like}")
    page = "&startposition=3&maxrecords=2&outputformat=application/json"
    visitor.get(f"{find}results&elementsetname=full{page}")
    visitor.get(f"{ask}GetRecordById&id=urn:x:3&elementsetname=full")
    visitor.get(f"{ask}GetRecordById&id=urn:x:none")
    schema = "&outputschema=http://www.isotc211.org/2005/gmd"
    visitor.get(f"{ask}GetRecordById&id=urn:x:3{schema}")
    visitor.get(f"{ask}Nothing", 200, 400)
    visitor.get("/csw?service=WMS&request=GetMap", 200, 400)
    search = "/csw?mode=opensearch&service=CSW&version=3.0.0&request="
    visitor.get(f"{search}GetCapabilities")
    found = f"{search}GetRecords&elementsetname=full&typenames=csw:Record&resulttype=results"
    visitor.get(f"{found}&q=rivers")
    visitor.get(f"{found}&bbox=40,10,60,30")
    harvest = "/csw?mode=oaipmh&verb="
    visitor.get(f"{harvest}Identify")
    visitor.get(f"{harvest}ListRecords&metadataPrefix=oai_dc")
    visitor.get(f"{harvest}ListIdentifiers&metadataPrefix=oai_dc")
    visitor.get(f"{harvest}GetRecord&identifier=urn:x:2&metadataPrefix=oai_dc")
    visitor.get("/csw?mode=sru&operation=explain")
    sru = "/csw?mode=sru&operation=searchRetrieve&query=rivers&maximumRecords=3"
    visitor.get(sru, 200, 400, 500)

    def post(body: str, *expect: int) -> None:
        headers = {"Content-Type": "application/xml"}
        visitor.post("/csw", *expect, content=body, headers=headers)

    wild = ' wildCard="%" singleChar="_" escapeChar="\\"'
    for filtered in (
        literal("PropertyIsLike", "csw:AnyText", "%region 4%", wild),
        literal("PropertyIsEqualTo", "dc:creator", "ann3@survey.example"),
        literal("PropertyIsGreaterThan", "dc:date", "2006-03-14"),
        "<ogc:BBOX><ogc:PropertyName>ows:BoundingBox</ogc:PropertyName><gml:Envelope>"
        "<gml:lowerCorner>40 10</gml:lowerCorner><gml:upperCorner>55 25</gml:upperCorner>"
        "</gml:Envelope></ogc:BBOX>",
    ):
        post(QUERY.replace("{filter}", filtered))
    post(QUERY.replace("{filter}", "<ogc:Nonsense/>"), 200, 400)
    insert = f"<csw:Insert>{RECORD.format(n=9)}</csw:Insert>"
    change = (
        "<csw:Update><csw:RecordProperty><csw:Name>dc:title</csw:Name><csw:Value>New</csw:Value>"
        f"</csw:RecordProperty>{ONE}</csw:Update>"
    )
    remove = f'<csw:Delete typeName="csw:Record">{ONE}</csw:Delete>'
    post(f"<csw:Transaction {NAMES}>{insert}</csw:Transaction>")
    post(f"<csw:Transaction {NAMES}>{insert}</csw:Transaction>", 200, 400)
    visitor.get(f"{ask}GetRecordById&id=urn:x:9&elementsetname=full")
    post(f"<csw:Transaction {NAMES}>{change}</csw:Transaction>")
    post(f"<csw:Transaction {NAMES}>{remove}</csw:Transaction>")
    kind = "http://www.opengis.net/cat/csw/2.0.2"
    post(
        f"<csw:Harvest {NAMES}><csw:Source>{visitor.origin}/record.xml</csw:Source>"
        f"<csw:ResourceType>{kind}</csw:ResourceType>"
        "<csw:ResourceFormat>application/xml</csw:ResourceFormat></csw:Harvest>",
        200,
        400,
    )
    visitor.get(f"{ask}GetRecordById&id=urn:x:7&elementsetname=brief")
    post("<broken", 200, 400)


APP = Application(
    name="pycsw",
    framework="WSGI",
    uses=("SQLite", "HTTP", "files"),
    packages=(
        "pycsw==2.6.2",
        "SQLAlchemy==1.4.54",
        "shapely==1.8.5.post1",
        "numpy==1.26.4",
        "setuptools==79.0.1",
        "gunicorn==23.0.0",
    ),
    server=(
        "gunicorn",
        "-b",
        "127.0.0.1:{port}",
        "--workers",
        "2",
        "--threads",
        "2",
        "pycsw.wsgi:application",
    ),
    environment={"PYCSW_CONFIG": "{state}/pycsw.cfg"},
    origin=Neighbour,
    prepare=prepare,
    drive=drive,
)
