"""`velella admin build`: Medusa's dashboard, made for this shop.

The dashboard is Medusa's, from npm, in the last release whose server packages are under the MIT licence. It isn't shipped with Velella:
the build stays in the merchant's own data directory.

A plugin brings widgets and pages of its own in the folder `admin` of its package, as Medusa's plugins do: `widgets/*.tsx` with a
`defineWidgetConfig`, `routes/**/page.tsx` with a `defineRouteConfig`. They are copied beside the packages from npm, and built in. What they
need from npm beyond what the dashboard has, they name under `dependencies` in `admin/package.json`.
"""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ..core.errors import Misconfigured
from ..core.settings import Settings
from . import instance
from .colony import supervisor_of
from .data import DataDir
from .output import console

VERSION = "2.18.0"
PACKAGES = {f"@medusajs/{name}": VERSION for name in ("admin-bundler", "admin-sdk", "dashboard", "draft-order")}
"""With the pages of draft orders, which are a plugin (on admin-sdk) that every Medusa has unless it is told otherwise."""
NEEDED_NODE = 20
COMPRESSED = (".js", ".css", ".html", ".svg", ".json")
"""Types of files that are also kept as .gz, for browsers that accept it."""
ADDED = ("widgets", "routes", "custom-fields", "layouts", "i18n")
"""Folders of a plugin's `admin`, by what they add."""
BUILT = "built.json"
"""Beside the site's files, and not served: what it was built from."""
LEFT_OUT = ("__pycache__", "node_modules")
SCRIPT = """\
import bundler from "@medusajs/admin-bundler"
await bundler.build({
  path: "/app", backendUrl: "", storefrontUrl: process.argv[2] ?? "", outDir: "./out",
  sources: process.argv.slice(3), plugins: ["@medusajs/draft-order/admin"],
})
process.exit(0)
"""


def register(app: typer.Typer) -> None:
    admin = typer.Typer(help="The merchant's dashboard.", no_args_is_help=True)
    app.add_typer(admin, name="admin")

    @admin.callback()
    def group() -> None:
        pass

    @admin.command(epilog="Examples:  velella admin build  ·  velella admin build --storefront https://shop.example")
    def build(
        data_dir: Path | None = DataDir,
        storefront: str = typer.Option("", help="URL of the storefront, for links from the dashboard."),
        keep: bool = typer.Option(False, "--keep", help="Keep the packages from npm (320 MB), so that building again is quicker."),
    ) -> None:
        """Build Medusa's dashboard from npm into the data directory; it is then served under /app. Takes a minute or two, needs Node.js."""
        settings = instance.settings_of(data_dir=data_dir)
        brought = extensions(settings.plugins)
        _check_tools()
        folder = settings.dashboard_dir
        folder.mkdir(parents=True, exist_ok=True)
        with Progress(SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console) as progress:
            work = folder / "build"
            work.mkdir(exist_ok=True)
            packages = dict(sorted(needed_packages(brought).items()))
            (work / "package.json").write_text(json.dumps({"name": "dashboard", "private": True, "dependencies": packages}, indent=2))
            (work / "build.mjs").write_text(SCRIPT)
            sources = _copied(brought, work / "extensions")
            step = progress.add_task("Fetching packages from npm …", total=None)
            _run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"], work)
            progress.update(step, description="Building the dashboard …")
            _run(["node", "build.mjs", storefront, *sources], work)
            progress.update(step, description="Compressing …")
            (work / "out" / BUILT).write_text(json.dumps({"version": VERSION, "plugins": digests(brought)}))
            _compress(work / "out")
            _put_in_place(work / "out", folder / "site")
            if not keep:
                shutil.rmtree(work)
            progress.update(step, description=f"Medusa's dashboard {VERSION} is in {folder / 'site'}", total=1, completed=1)
        if brought:
            console.print(f"With what these plugins bring: {', '.join(brought)}.")
        if instance.holder(settings) is None:
            console.print(f"It is served under /app, once the shop is: {instance.command('velella serve')}")
        else:
            console.print(f"It is served: {asyncio.run(_address(data_dir))}/app")


# -- what plugins bring


def extensions(plugins: Iterable[str]) -> dict[str, Path]:
    """Plugin → its folder with what it adds to the dashboard. Raises Misconfigured for a plugin that there isn't, and where two have one
    page."""
    brought: dict[str, Path] = {}
    pages: dict[str, str] = {}
    for plugin in plugins:
        found = importlib.util.find_spec(plugin)
        if found is None:
            raise Misconfigured(f"There is no plugin {plugin}: no package has that name.", hint="Is it installed where Velella is?")
        folder = next((each for each in map(_admin_in, found.submodule_search_locations or ()) if each is not None), None)
        if folder is None:
            continue
        brought[plugin] = folder
        for page in sorted(folder.glob("routes/**/page.*")):
            place = page.parent.relative_to(folder / "routes").as_posix()
            if place in pages:
                raise Misconfigured(f"{pages[place]} and {plugin} both bring the page /app/{place}.", hint="One of them has to move it.")
            pages[place] = plugin
    return brought


def _admin_in(package: str) -> Path | None:
    folder = Path(package) / "admin"
    return folder if any((folder / name).is_dir() for name in ADDED) else None


def needed_packages(brought: Mapping[str, Path]) -> dict[str, str]:
    """Package on npm → version: the dashboard's, and those that plugins name. Raises Misconfigured where two want different ones."""
    needed, by = dict(PACKAGES), dict.fromkeys(PACKAGES, "the dashboard")
    for plugin, folder in brought.items():
        file = folder / "package.json"
        if not file.is_file():
            continue
        try:
            named = json.loads(file.read_text()).get("dependencies", {})
        except (ValueError, AttributeError) as error:
            raise Misconfigured(f"{file} can't be read: {error}.") from None
        for package, version in named.items():
            if needed.setdefault(package, version) != version:
                raise Misconfigured(
                    f"{by[package]} needs {package} {needed[package]}, and {plugin} {version}.", hint=f"See {file}: one has to give way."
                )
            by.setdefault(package, plugin)
    return needed


def _copied(brought: Mapping[str, Path], to: Path) -> list[str]:
    """Copies of the folders, from where what they import is found in the packages of the build. Each is called `admin`: what follows that
    in the path of a page is its address."""
    shutil.rmtree(to, ignore_errors=True)
    for plugin, folder in brought.items():
        shutil.copytree(folder, to / plugin / "admin", ignore=shutil.ignore_patterns(*LEFT_OUT))
    return [str(to / plugin / "admin") for plugin in brought]


def digests(brought: Mapping[str, Path]) -> dict[str, str]:
    """Plugin → a digest of the files that it brings."""
    found = {}
    for plugin, folder in brought.items():
        digest = sha256()
        for file in sorted(folder.rglob("*")):
            place = file.relative_to(folder)
            if file.is_file() and not set(LEFT_OUT) & set(place.parts):
                digest.update(f"{place.as_posix()}\0{file.stat().st_size}\0".encode() + file.read_bytes())
        found[plugin] = digest.hexdigest()
    return found


def outdated(settings: Settings) -> list[str]:
    """The plugins that bring something else for the dashboard than what it was built with. Raises Misconfigured, as `extensions`."""
    file = settings.dashboard_dir / "site" / BUILT
    built: dict[str, str] = json.loads(file.read_text())["plugins"] if file.is_file() else {}
    now = digests(extensions(settings.plugins))
    return sorted(plugin for plugin in {*built, *now} if built.get(plugin) != now.get(plugin))


async def _address(data_dir: Path | None) -> str:
    """The URL of the running shop."""
    async with supervisor_of(None, data_dir) as supervisor:
        return str((await supervisor.status())["url"])


def _check_tools() -> None:
    """Check Node.js and npm. Raises Misconfigured where one is missing or too old."""
    hint = f"Install Node.js {NEEDED_NODE} or newer, with npm: https://nodejs.org"
    if shutil.which("node") is None or shutil.which("npm") is None:
        raise Misconfigured("Building the dashboard needs Node.js and npm; they aren't here.", hint=hint)
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", said)
    if found is None or int(found[1]) < NEEDED_NODE:
        raise Misconfigured(f"Building the dashboard needs Node.js {NEEDED_NODE}; this is {said.strip() or 'none'}.", hint=hint)


def _run(command: list[str], folder: Path) -> None:
    """Run a command. Raises Misconfigured with the last lines of its output if it fails."""
    done = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-15:]
        raise Misconfigured(f"`{' '.join(command)}` failed in {folder}:\n" + "\n".join(said), hint="Is npm's registry reachable from here?")


def _compress(site: Path) -> None:
    for file in sorted(site.rglob("*")):
        if file.suffix in COMPRESSED and file.stat().st_size > 1024:
            file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), 6, mtime=0))


def _put_in_place(made: Path, site: Path) -> None:
    """Point the link `site` to the new build. A running server serves the old one or the new one."""
    if not (made / "index.html").is_file():
        raise Misconfigured(f"The build left no index.html in {made}.")
    old = site.resolve() if site.is_symlink() else None
    new = Path(tempfile.mkdtemp(prefix="site-", dir=site.parent))
    new.chmod(0o755)
    made.replace(new)
    link = new.with_name(f"{new.name}.link")
    link.symlink_to(new.name)
    link.replace(site)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)
