"""Radicale: a calendar and address book server on files (CalDAV, CardDAV; WSGI of its own)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.application import Application

if TYPE_CHECKING:
    from tests.corpus.application import Place
    from tests.corpus.visitor import Visitor

CONFIGURATION = """
[auth]
type = htpasswd
htpasswd_filename = {folder}/users
htpasswd_encryption = plain
delay = 0
[storage]
filesystem_folder = {folder}/collections
strict_preconditions = True
[logging]
level = warning
"""
ANN = ("ann", "secret")
EVENT = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//corpus//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20260101T120000Z
DTSTART:20260{month}01T090000Z
DTEND:20260{month}01T100000Z
SUMMARY:{summary}
END:VEVENT
END:VCALENDAR
"""
CARD = "BEGIN:VCARD\nVERSION:3.0\nUID:{uid}\nFN:{name}\nN:{name};;;;\nEND:VCARD\n"
FIND = """<?xml version="1.0"?><propfind xmlns="DAV:"><prop><resourcetype/><getetag/>
<displayname/><sync-token/><current-user-principal/></prop></propfind>"""
QUERY = """<?xml version="1.0"?><C:calendar-query xmlns="DAV:"
xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><getetag/><C:calendar-data/></prop><C:filter>
<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
<C:time-range start="20260301T000000Z" end="20260401T000000Z"/></C:comp-filter></C:comp-filter>
</C:filter></C:calendar-query>"""
SYNC = """<?xml version="1.0"?><sync-collection xmlns="DAV:"><sync-token/><prop><getetag/></prop>
</sync-collection>"""
RENAME = """<?xml version="1.0"?><propertyupdate xmlns="DAV:"><set><prop>
<displayname>Work, renamed</displayname></prop></set></propertyupdate>"""
BOOK = """<?xml version="1.0"?><mkcol xmlns="DAV:" xmlns:CR="urn:ietf:params:xml:ns:carddav"><set>
<prop><resourcetype><collection/><CR:addressbook/></resourcetype><displayname>Friends</displayname>
</prop></set></mkcol>"""


def prepare(place: Place) -> None:
    """Write the configuration and the users."""
    (place.state / "config").write_text(CONFIGURATION.format(folder=place.state))
    (place.state / "users").write_text("ann:secret\nbob:hidden\n")


def drive(visitor: Visitor) -> None:
    """Two calendars and an address book, by a client that knows its protocol."""
    work, xml = "/ann/work/", {"Content-Type": "text/xml"}
    visitor.get("/", 302)
    visitor.ask("OPTIONS", "/")
    visitor.ask("PROPFIND", "/ann/", 401, content=FIND)
    visitor.ask("PROPFIND", "/ann/", 401, content=FIND, auth=("ann", "wrong"))
    visitor.ask("PROPFIND", "/ann/", content=FIND, auth=ANN, headers={"Depth": "0"})
    visitor.ask("MKCALENDAR", work, auth=ANN)
    visitor.ask("MKCALENDAR", work, 405, 409, auth=ANN)
    tags = [
        visitor.put(
            f"{work}{n}.ics",
            201,
            content=EVENT.format(uid=n, month=n, summary=f"Meeting {n}"),
            auth=ANN,
        ).headers["ETag"]
        for n in (2, 3, 4)
    ]
    visitor.ask("PROPFIND", work, content=FIND, auth=ANN, headers={"Depth": "1"})
    visitor.ask("PROPFIND", work, content=FIND, auth=ANN, headers={"Depth": "1"})
    visitor.ask("REPORT", work, content=QUERY, auth=ANN, headers={"Depth": "1", **xml})
    visitor.ask("REPORT", work, content=SYNC, auth=ANN, headers=xml)
    visitor.get(f"{work}2.ics", auth=ANN)
    changed = EVENT.format(uid=2, month=2, summary="Meeting 2, moved")
    visitor.put(f"{work}2.ics", 201, 204, content=changed, auth=ANN, headers={"If-Match": tags[0]})
    visitor.put(f"{work}2.ics", 204, 412, content=changed, auth=ANN, headers={"If-Match": tags[0]})
    visitor.put(f"{work}bad.ics", 400, content="BEGIN:NONSENSE", auth=ANN)
    visitor.get(f"{work}absent.ics", 404, auth=ANN)
    visitor.delete(f"{work}3.ics", auth=ANN)
    moved = f"{visitor.base}{work}moved.ics"
    visitor.ask("MOVE", f"{work}4.ics", auth=ANN, headers={"Destination": moved})
    visitor.ask("PROPPATCH", work, content=RENAME, auth=ANN)
    visitor.get(work, auth=ANN)
    visitor.ask("MKCOL", "/ann/friends/", content=BOOK, auth=ANN, headers=xml)
    for uid, name in (("a", "Ada"), ("g", "Grace")):
        visitor.put(f"/ann/friends/{uid}.vcf", content=CARD.format(uid=uid, name=name), auth=ANN)
    visitor.get("/ann/friends/", auth=ANN)
    visitor.ask("PROPFIND", work, 403, 404, content=FIND, auth=("bob", "hidden"))
    visitor.delete("/ann/friends/", auth=ANN)
    visitor.delete(work, auth=ANN)
    visitor.get(work, 404, auth=ANN)
    visitor.get("/.web/", 200)


APP = Application(
    name="radicale",
    framework="WSGI",
    uses=("files",),
    packages=("radicale==3.9.0", "gunicorn==23.0.0"),
    server=("gunicorn", "-b", "127.0.0.1:{port}", "--threads", "2", "app:application"),
    environment={"RADICALE_CONFIG": "{state}/config"},
    prepare=prepare,
    drive=drive,
)
