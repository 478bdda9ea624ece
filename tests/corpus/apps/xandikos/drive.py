"""Xandikos: calendars and address books over CalDAV and CardDAV, kept in Git (WSGI)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Garden//Plan//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260301T080000Z
DTSTART:202604{day}T090000Z
DTEND:202604{day}T100000Z
SUMMARY:{what}
RRULE:FREQ=WEEKLY;COUNT=3
END:VEVENT
END:VCALENDAR
"""
PERSON = """BEGIN:VCARD
VERSION:3.0
UID:ann-1
FN:Ann Gardener
N:Gardener;Ann;;;
EMAIL:ann@example.com
TEL:+49 30 1234567
END:VCARD
"""
PROPERTIES = """<?xml version="1.0"?>
<D:propfind xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:prop>
<D:resourcetype/><D:displayname/><D:getetag/><D:current-user-principal/>
<C:calendar-home-set/><D:sync-token/></D:prop></D:propfind>"""
ALL = '<?xml version="1.0"?><D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>'
CHANGE = """<?xml version="1.0"?>
<D:propertyupdate xmlns:D="DAV:"><D:set><D:prop><D:displayname>Garden</D:displayname>
</D:prop></D:set></D:propertyupdate>"""
QUERY = """<?xml version="1.0"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR">
<C:comp-filter name="VEVENT"><C:time-range start="20260401T000000Z" end="20260410T000000Z"/>
</C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"""
MULTIGET = """<?xml version="1.0"?>
<C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><D:getetag/><C:calendar-data/></D:prop>
<D:href>{0}prune.ics</D:href><D:href>{0}absent.ics</D:href></C:calendar-multiget>"""
BUSY = """<?xml version="1.0"?>
<C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">
<C:time-range start="20260401T000000Z" end="20260430T000000Z"/></C:free-busy-query>"""
SYNC = """<?xml version="1.0"?>
<D:sync-collection xmlns:D="DAV:"><D:sync-token>{0}</D:sync-token>
<D:sync-level>1</D:sync-level><D:prop><D:getetag/></D:prop></D:sync-collection>"""
PEOPLE = """<?xml version="1.0"?>
<C:addressbook-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">
<D:prop><D:getetag/><C:address-data/></D:prop><C:filter><C:prop-filter name="FN">
<C:text-match>ann</C:text-match></C:prop-filter></C:filter></C:addressbook-query>"""
NEW = """<?xml version="1.0"?>
<D:mkcol xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:set><D:prop>
<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>
<D:displayname>Orchard</D:displayname></D:prop></D:set></D:mkcol>"""


def prepare(place: Place) -> None:
    """Make the folder, empty: the server fills it at its start."""
    (place.state / "dav").mkdir()


def drive(visitor: Visitor) -> None:
    """Find the calendars, put events and people there, query, sync, change, delete."""
    xml = {"Content-Type": "application/xml"}
    ics = {"Content-Type": "text/calendar; charset=utf-8"}
    vcf = {"Content-Type": "text/vcard; charset=utf-8"}

    def propfind(path: str, *expect: int, depth: str = "0", body: str = PROPERTIES) -> str:
        given = xml | {"Depth": depth}
        return visitor.ask("PROPFIND", path, *expect, headers=given, content=body).text

    def report(path: str, body: str, *expect: int, depth: str = "1") -> str:
        given = xml | {"Depth": depth}
        return visitor.ask("REPORT", path, *expect, headers=given, content=body).text

    visitor.get("/.well-known/caldav", 404)
    visitor.ask("OPTIONS", "/user/")
    propfind("/")
    propfind("/user/", 207, depth="1")
    home = "/user/calendars/calendar/"
    book = "/user/contacts/addressbook/"
    propfind(home, 207, depth="1", body=ALL)
    prune = EVENT.format(uid="prune-1", day="02", what="Prune the lemons")
    visitor.put(f"{home}prune.ics", 201, 204, content=prune, headers=ics)
    answer = visitor.get(f"{home}prune.ics")
    tag = answer.headers["etag"]
    visitor.get(f"{home}prune.ics", 304, 200, headers={"If-None-Match": tag})
    again = EVENT.format(uid="prune-1", day="03", what="Prune the lemons, again")
    visitor.put(f"{home}prune.ics", 201, 204, content=again, headers=ics | {"If-Match": tag})
    visitor.put(f"{home}prune.ics", 412, content=prune, headers=ics | {"If-Match": tag})
    sow = EVENT.format(uid="sow-1", day="20", what="Sow; with ann@example.com")
    visitor.put(f"{home}sow.ics", 201, 204, content=sow, headers=ics)
    visitor.put(f"{home}bad.ics", 400, 403, 412, 415, 201, content="no calendar", headers=ics)
    visitor.ask("HEAD", f"{home}sow.ics")
    report(home, QUERY, 207)
    report(home, MULTIGET.format(home), 207)
    report(home, BUSY, 200, 207, 403)
    found = report(home, SYNC.format(""), 207)
    token = found.partition("sync-token>")[2].partition("<")[0]
    visitor.delete(f"{home}sow.ics", 204, 200)
    report(home, SYNC.format(token), 207)
    report(home, '<?xml version="1.0"?><D:strange xmlns:D="DAV:"/>', 403, 400)
    report(home, "<no xml", 400)
    visitor.put(f"{book}ann.vcf", 201, 204, content=PERSON, headers=vcf)
    visitor.get(f"{book}ann.vcf")
    report(book, PEOPLE, 207)
    visitor.ask("PROPPATCH", home, 207, headers=xml, content=CHANGE)
    propfind(home, 207)
    visitor.ask("MKCOL", "/user/calendars/orchard/", 201, headers=xml, content=NEW)
    propfind("/user/calendars/", 207, depth="1")
    visitor.put("/user/calendars/orchard/sow.ics", 201, 204, content=sow, headers=ics)
    visitor.get("/user/calendars/orchard/", 200)
    visitor.post(home, 200, 201, content=sow, headers=ics)
    visitor.delete("/user/calendars/orchard/", 204, 200)
    visitor.get("/user/calendars/orchard/sow.ics", 404)
    visitor.get("/user/", 200)
    propfind("/nowhere/", 207)


APP = Application(
    name="xandikos",
    framework="WSGI",
    uses=("files",),
    packages=("xandikos==0.4.10", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "xandikos.wsgi:app"),
    environment={
        "XANDIKOSPATH": "{state}/dav",
        "CURRENT_USER_PRINCIPAL": "/user/",
        "AUTOCREATE": "defaults",
    },
    prepare=prepare,
    drive=drive,
)
