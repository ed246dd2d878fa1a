"""Files: taken piece by piece, kept under names nobody can guess, shown so that they can't act for the shop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from velella.core.errors import InvalidData, NotFound, ReplyLost, VelellaError

from ..conftest import Answered, Client, Shop

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40


def form(*files: tuple[str, bytes, str | None], name: str = "files") -> aiohttp.FormData:
    made = aiohttp.FormData(quote_fields=False)  # as browsers do
    for filename, content, kind in files:
        made.add_field(name, content, filename=filename, content_type=kind)
    return made


async def upload(admin: Client, *files: tuple[str, bytes, str | None], **options: Any) -> Answered:
    return await admin("POST", "/admin/uploads", data=form(*files, **options))


async def one(admin: Client, filename: str, content: bytes = PNG, kind: str | None = "image/png") -> dict[str, str]:
    answer = await upload(admin, (filename, content, kind))
    assert answer.status == 200, answer.text
    [file] = answer.json["files"]
    return dict(file)


def kept(shop: Shop) -> set[str]:
    """Everything on the disk."""
    folder = shop.host.settings.data_dir
    return {str(path.relative_to(folder)) for name in ("static", "private") for path in (folder / name).iterdir()}


async def shown(client: Client, url: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
    split = urlsplit(url)
    path = f"{client.base}{split.path}{'?' + split.query if split.query else ''}"
    async with client.session.get(path, headers=headers) as answer:
        return answer.status, answer.headers, await answer.read()


# -- uploading


async def test_files_are_kept_and_shown(admin: Client, client: Client) -> None:
    answer = await upload(admin, ("Sail Shirt (ü).PNG", PNG, "image/png"), ("notes.txt", b"hello", "text/plain"))
    first, second = answer.json["files"]
    assert set(first) == {"id", "url"}
    assert first["id"].startswith("sail-shirt-u-")
    assert first["id"].endswith(".png")
    assert urlsplit(first["url"]).path == f"/static/{first['id']}"
    status, headers, content = await shown(client, first["url"])
    assert (status, headers["Content-Type"], content) == (200, "image/png", PNG)
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Content-Disposition"] == "inline"
    assert "immutable" in headers["Cache-Control"]
    assert (await shown(client, second["url"]))[2] == b"hello"
    found = await admin("GET", f"/admin/uploads/{first['id']}")
    assert found.json == {"file": first}


async def test_a_part_of_a_file_can_be_had_and_what_a_browser_has_is_not_sent_again(admin: Client, client: Client) -> None:
    file = await one(admin, "a.png")
    status, headers, content = await shown(client, file["url"], Range="bytes=2-5")
    assert (status, content, headers["Content-Range"]) == (206, PNG[2:6], f"bytes 2-5/{len(PNG)}")
    tag = (await shown(client, file["url"]))[1]["ETag"]
    assert (await shown(client, file["url"], **{"If-None-Match": tag}))[0] == 304


async def test_names_of_one_file_are_never_the_same(admin: Client) -> None:
    made = await asyncio.gather(*(one(admin, "same.png") for _ in range(5)))
    names = {file["id"] for file in made}
    assert len(names) == 5
    assert min(len(name) for name in names) == len("same-.png") + 32


async def test_a_deleted_file_is_gone(shop: Shop, admin: Client, client: Client) -> None:
    before = kept(shop)
    file = await one(admin, "gone.png")
    for _ in range(2):
        answer = await admin("DELETE", f"/admin/uploads/{file['id']}")
        assert answer.json == {"id": file["id"], "object": "file", "deleted": True}
    assert (await shown(client, file["url"]))[0] == 404
    assert (await admin("GET", f"/admin/uploads/{file['id']}")).status == 404
    assert kept(shop) == before


# -- what is refused


@pytest.mark.parametrize(
    ("filename", "kind"),
    [("page.html", "text/html"), ("run.exe", None), ("script.js", "text/javascript"), ("x", "nonsense")],
)
async def test_types_that_are_not_taken(shop: Shop, admin: Client, filename: str, kind: str | None) -> None:
    before = kept(shop)
    answer = await upload(admin, ("fine.png", PNG, "image/png"), (filename, b"<script>", kind))
    assert (answer.status, answer.json["type"]) == (400, "invalid_data")
    assert kept(shop) == before  # the first one neither


@pytest.mark.parametrize("filename", ["page.html", "page.svg.html", "a.PHP", "noending", ".htaccess", "x." + "y" * 300])
async def test_a_file_is_shown_as_the_type_it_was_uploaded_as(admin: Client, client: Client, filename: str) -> None:
    file = await one(admin, filename)
    assert file["id"].endswith(".png")
    assert (await shown(client, file["url"]))[1]["Content-Type"] == "image/png"


async def test_a_drawing_with_a_script_in_it_can_not_act_for_the_shop(admin: Client, client: Client) -> None:
    file = await one(admin, "x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "image/svg+xml")
    headers = (await shown(client, file["url"]))[1]
    assert headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"


async def test_what_a_browser_should_not_show_is_saved(admin: Client, client: Client) -> None:
    file = await one(admin, "x.json", b"{}", "application/json")
    assert (await shown(client, file["url"]))[1]["Content-Disposition"] == "attachment"


@pytest.mark.parametrize("filename", ["../../etc/passwd.png", "..\\..\\x.png", "/etc/x.png", "a/b.png", "\u2025/x.png", "%2e%2e%2fx.png"])
async def test_no_name_leads_elsewhere(shop: Shop, admin: Client, filename: str) -> None:
    before = kept(shop)
    file = await one(admin, filename)
    assert kept(shop) - before == {f"static/{file['id']}"}
    assert not {"/", "\\", "%"} & set(file["id"])


@pytest.mark.parametrize(
    "path",
    [
        "..%2Fsecrets%2Fjwt_secret",
        "%2e%2e/secrets/jwt_secret",
        "..%5Csecrets",
        "private/x.png",
        "",
        ".",
        "x.part",
        "~root",
        "a" * 5000,
    ],
)
async def test_no_path_leads_elsewhere(shop: Shop, client: Client, path: str) -> None:
    (shop.host.settings.data_dir / "static" / ".hidden").write_text("secret")
    from yarl import URL

    for each in (path, ".hidden"):
        async with client.session.get(URL(f"{client.base}/static/{each}", encoded=True)) as answer:
            assert answer.status == 404
    (shop.host.settings.data_dir / "static" / ".hidden").unlink()


@pytest.mark.parametrize(
    "disposition",
    [
        b'form-data; name=files; filename="a\x00b.png"',
        b'form-data; name=files; filename="a\x07b.png"',
        b"form-data; name=files; filename*=UTF-8''a%00b.png",
        b"form-data; name=files; filename*=UTF-8''a%0Ab.png",
        b'form-data; name=files; filename="a\xff\xfeb.png"',
        b'form-data; name="\x00"; filename=x.png',
        b"form-data; name=files; filename=x.png\r\nX: " + b"y" * 70_000,
        b"form-data; name=files; filename=x.png\r\n" + b"X: y\r\n" * 1000,
        b"form-data; name=files; filename=x.png\r\nContent-Type: image/png\x00",
    ],
    ids=range(9),
)
async def test_heads_of_parts_hold_text(shop: Shop, admin: Client, disposition: bytes) -> None:
    before = kept(shop)
    data = b"--b\r\nContent-Disposition: " + disposition + b"\r\n\r\nx\r\n--b--\r\n"
    answer = await admin("POST", "/admin/uploads", data=data, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (answer.status, answer.json["type"]) == (400, "invalid_data")
    assert kept(shop) == before


@pytest.mark.parametrize("name", ["a\nb.png", "a\x1bb.png"])
async def test_so_do_names_of_files_that_are_announced(admin: Client, name: str) -> None:
    body = {"originalname": name, "mime_type": "image/png", "size": 1}
    assert (await admin("POST", "/admin/uploads/presigned-urls", body)).status == 400


@pytest.mark.parametrize("boundary", ["", "; boundary=", "; boundary=" + "b" * 100, "; boundary=" + "b" * 300], ids=len)
async def test_a_form_that_is_none_is_refused_in_our_words(admin: Client, boundary: str) -> None:
    answer = await admin("POST", "/admin/uploads", data=b"--x\r\n\r\n", headers={"Content-Type": f"multipart/form-data{boundary}"})
    too_long = len(boundary) > 256
    words = "The header Content-Type is too long." if too_long else "The body is not valid multipart/form-data"
    assert (answer.status, answer.json["message"]) == (400, words)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "gzip, gzip"])
async def test_a_packed_form_is_not_unpacked(shop: Shop, admin: Client, coding: str) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": coding}
    answer = await admin("POST", "/admin/uploads", data=b"x" * 1000, headers=headers, compress=None)
    assert answer.status == 415


async def test_a_link_on_the_disk_is_not_followed(shop: Shop, client: Client, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    link = shop.host.settings.data_dir / "static" / "link.txt"
    link.symlink_to(tmp_path / "secret")
    assert (await shown(client, "/static/link.txt"))[0] == 404
    link.unlink()


async def test_a_file_may_not_be_too_large(shop: Shop, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    before = kept(shop)
    monkeypatch.setattr(shop.front.context.settings, "upload_limit", 100_000)
    assert (await upload(admin, ("x.png", b"x" * 100_000, "image/png"))).status == 200
    for files in ([("y.png", b"x" * 100_001, "image/png")], [("a.png", PNG, "image/png"), ("b.png", b"x" * 200_000, "image/png")]):
        refused = await upload(admin, *files)
        assert (refused.status, refused.json["type"]) == (413, "unknown_error")
    assert len(kept(shop) - before) == 1

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536
            await asyncio.sleep(0)

    made = aiohttp.FormData()
    made.add_field("files", endless(), filename="z.png", content_type="image/png")
    try:
        refused = await admin("POST", "/admin/uploads", data=made)
        assert refused.status == 413
    except aiohttp.ClientConnectionError:
        pass  # the door was shut while the client went on sending
    assert len(kept(shop) - before) == 1


async def test_who_sends_a_refused_file_to_its_end_learns_why(shop: Shop, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """As proxies do, and browsers: where the connection ends while they send, they show no answer."""
    before = kept(shop)
    monkeypatch.setattr(shop.front.context.settings, "upload_limit", 1_000_000)
    for name, kind, status in (("x.png", "image/png", b" 413 "), ("x.exe", "application/x-msdownload", b" 400 ")):
        reader, writer = await asyncio.open_connection(urlsplit(admin.base).hostname, urlsplit(admin.base).port)
        writer.write(
            f"POST /admin/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: {admin.headers['authorization']}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 30000000\r\n\r\n"
            f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode()
        )
        for _ in range(300):
            writer.write(b"x" * 100_000)
            await writer.drain()
        assert status in await asyncio.wait_for(reader.readline(), 5)
        writer.close()
    assert kept(shop) == before


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\ntext\r\n--b--\r\n'),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="other"; filename="x.png"\r\n\r\nx\r\n--b--\r\n'),
        ("multipart/form-data; boundary=b", b"nonsense\r\n--b--\r\n"),
        ("multipart/form-data; boundary=" + "b" * 100, b"x"),
    ],
)
async def test_what_holds_no_files_is_refused(shop: Shop, admin: Client, kind: str, data: bytes) -> None:
    before = kept(shop)
    answer = await admin("POST", "/admin/uploads", data=data, headers={"Content-Type": kind})
    assert (answer.status, answer.json["type"]) == (400, "invalid_data"), answer.text
    assert kept(shop) == before


async def test_an_upload_that_breaks_off_leaves_nothing(shop: Shop, admin: Client) -> None:
    before = kept(shop)
    host, port = urlsplit(admin.base).hostname, urlsplit(admin.base).port
    _, writer = await asyncio.open_connection(host, port)
    writer.write(
        f"POST /admin/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: {admin.headers['authorization']}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900000\r\n\r\n"
        '--b\r\nContent-Disposition: form-data; name="files"; filename="x.png"\r\nContent-Type: image/png\r\n\r\n'.encode()
        + b"x" * 600_000
    )
    await writer.drain()
    writer.close()
    for _ in range(100):
        await asyncio.sleep(0.05)
        if kept(shop) == before:
            break
    assert kept(shop) == before


async def test_uploads_take_as_long_as_they_take_and_nobodys_place(shop: Shop, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop.host.admission, "capacity", shop.host.admission.inside + 2)
    monkeypatch.setattr("velella.http.server.front.UPLOADS", 5)
    slow = []
    for _ in range(6):
        reader, writer = await asyncio.open_connection(urlsplit(admin.base).hostname, urlsplit(admin.base).port)
        writer.write(
            f"POST /admin/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: {admin.headers['authorization']}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 900\r\n\r\n--b\r\n".encode()
        )
        slow.append((reader, writer))
        await asyncio.sleep(0.05)
    assert (await admin("GET", "/admin/uploads/nothing")).status == 404, "there is room for others"
    assert b" 503 " in await asyncio.wait_for(slow[-1][0].readline(), 5), "but not for any number of uploads"
    for _, writer in slow:
        writer.close()


async def test_nobody_uploads_who_may_not(client: Client) -> None:
    assert (await upload(client, ("x.png", PNG, "image/png"))).status == 401
    assert (await client("POST", "/admin/uploads/presigned-urls", {})).status == 401


# -- private files, and the module


async def test_a_private_file_is_shown_for_a_while_to_who_is_told(shop: Shop, admin: Client, client: Client) -> None:
    [file] = await shop.host.modules.file.create_files([{"filename": "orders.csv", "content": b"a,b", "access": "private"}])
    assert file["url"] is None
    for path in (f"/static/{file['id']}", f"/static/private/{file['id']}"):
        assert (await shown(client, path))[0] == 404
    url = (await admin("GET", f"/admin/uploads/{file['id']}")).json["file"]["url"]
    status, headers, content = await shown(client, url)
    assert (status, content, headers["Cache-Control"], headers["Content-Disposition"]) == (200, b"a,b", "private, no-store", "attachment")
    split = urlsplit(url)
    later = split.query.replace("expires=", "expires=9")
    past = "expires=1&signature=" + split.query.rpartition("=")[2]
    for query in ("", later, past, split.query[:-1], "expires=x&signature=x", "expires=٣&signature=x"):
        assert (await shown(client, f"{split.path}?{query}"))[0] == 404
    assert await shop.host.modules.file.content(file["id"]) == b"a,b"


async def test_files_of_a_flow_are_all_kept_or_none(shop: Shop) -> None:
    before = kept(shop)
    fine = {"filename": "a.csv", "content": b"1"}
    with pytest.raises(InvalidData):
        await shop.host.workflows.run("upload-files", {"files": [fine, {"filename": "b.html", "content": b"2"}]}, None)
    assert kept(shop) == before
    made = await shop.host.workflows.run("upload-files", {"files": [fine], "created_by": "user_1"}, None)
    assert (made[0]["mime_type"], made[0]["size"], made[0]["created_by"]) == ("text/csv", 1, "user_1")
    await shop.host.workflows.run("delete-files", {"ids": [made[0]["id"], "nobody"]}, None)
    with pytest.raises(NotFound):
        await shop.host.modules.file.content(made[0]["id"])


async def test_a_browser_uploads_through_the_shop_where_files_are_kept_here(shop: Shop, admin: Client) -> None:
    body = {"originalname": "Products.csv", "mime_type": "text/csv", "size": 12, "access": "private"}
    made = (await admin("POST", "/admin/uploads/presigned-urls", body)).json
    assert set(made) == {"url", "filename", "mime_type", "size", "extension", "originalname"}
    assert (made["url"], made["extension"], made["size"]) == ("/admin/uploads", "csv", 12)
    settings = shop.host.settings
    image = {"originalname": "a.png", "mime_type": "image/png", "size": settings.upload_limit + 1}
    for odd in ({"size": settings.import_limit + 1}, image, {"size": -1}, {"mime_type": "text/html"}):
        assert (await admin("POST", "/admin/uploads/presigned-urls", {**body, **odd})).status == 400


@pytest.mark.parametrize(("error", "left"), [(ReplyLost("the connection went"), 1), (InvalidData("not so"), 0)])
async def test_files_that_may_be_in_the_books_stay(shop: Shop, monkeypatch: pytest.MonkeyPatch, error: VelellaError, left: int) -> None:
    """A row whose file is gone would be a broken promise; a file without a row is only some room."""
    before = kept(shop)
    service = shop.host.services["file"]

    async def record(rows: Any) -> Any:
        raise error

    monkeypatch.setattr(service, "record", record)
    with pytest.raises(type(error)):
        await shop.host.modules.file.create_files([{"filename": "a.csv", "content": b"1"}])
    gained = kept(shop) - before
    assert len(gained) == left
