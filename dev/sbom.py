"""`make sbom`: lists what relay is made of, as CycloneDX 1.6, from the lock files and without a network.

The same lock files give the same bytes. Needs the environment of `make check-security`, not relay's own.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT: Final = Path(__file__).parents[1]
PYTHON: Final = ("relay", "embedded")
"""The locked sets that relay runs with: on a server, and for the demo."""


def of_python(name: str) -> dict[str, Any]:
    """The packages of a lock file of Python's, with their hashes."""
    command = [
        *(str(Path(sys.executable).parent / "cyclonedx-py"), "requirements"),
        *("--output-reproducible", "--spec-version", "1.6", "--output-format", "JSON"),
        *("--pyproject", "pyproject.toml", f"requirements/{name}.txt"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    found: dict[str, Any] = json.loads(done.stdout)
    refs = {one["bom-ref"]: one.get("purl", one["bom-ref"]) for one in found["components"]}
    for component in found["components"]:
        component["bom-ref"] = refs[component["bom-ref"]]
        component.pop("description", None)  # the line of the lock file
        component.pop("externalReferences", None)  # which registry it came from is of one machine
    for dependency in found["dependencies"]:
        dependency["ref"] = refs.get(dependency["ref"], dependency["ref"])
        if "dependsOn" in dependency:
            dependency["dependsOn"] = sorted(refs.get(ref, ref) for ref in dependency["dependsOn"])
    found["dependencies"].sort(key=lambda dependency: str(dependency["ref"]))
    return found


def of_pages() -> dict[str, Any]:
    """The packages that the pages are built of, and so ship, from the lock file of npm."""
    lock = json.loads((ROOT / "web/package-lock.json").read_text("utf-8"))
    excused = tomllib.loads((ROOT / "security/licences.toml").read_text("utf-8"))["npm"]
    for name, entry in excused.items():
        lock["packages"][f"node_modules/{name}"]["license"] = entry["licence"]
    root = lock["packages"][""]
    shipped = {
        path.rpartition("node_modules/")[2]: package
        for path, package in lock["packages"].items()
        if path and not package.get("dev") and not package.get("link")
    }
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root["name"],
                "name": root["name"],
                "version": root["version"],
                "licenses": [{"license": {"id": root["license"]}}],
            }
        },
        "components": [_npm(name, package) for name, package in sorted(shipped.items())],
        "dependencies": [
            {"ref": root["name"], "dependsOn": sorted(map(_ref, sorted(root["dependencies"])))},
            *(
                {
                    "ref": _ref(name),
                    "dependsOn": sorted(
                        _ref(other) for other in package.get("dependencies", {}) if other in shipped
                    ),
                }
                for name, package in sorted(shipped.items())
            ),
        ],
    }


def _ref(name: str) -> str:
    return f"npm:{name}"


def _npm(name: str, package: dict[str, Any]) -> dict[str, Any]:
    algorithm, _, digest = package["integrity"].partition("-")
    hashed = {"alg": algorithm.upper().replace("SHA", "SHA-"), "content": _hex(digest)}
    version = package["version"]
    return {
        "type": "library",
        "bom-ref": _ref(name),
        "name": name,
        "version": version,
        "purl": f"pkg:npm/{name.replace('@', '%40')}@{version}",
        "licenses": [{"expression": package["license"]}],
        "hashes": [hashed],
    }


def _hex(digest: str) -> str:
    return base64.b64decode(digest).hex()


def written(folder: Path) -> dict[str, str]:
    """Each list by its name, valid by the schema; ValueError for one that is not."""
    lists = {f"relay-{name}-python.cdx.json": of_python(name) for name in PYTHON}
    lists["relay-pages-npm.cdx.json"] = of_pages()
    texts = {name: json.dumps(found, indent=2, sort_keys=True) for name, found in lists.items()}
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for name, text in texts.items():
        fault = validator.validate_str(text)
        if fault is not None:
            raise ValueError(f"{name} is no CycloneDX 1.6: {fault!r}")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{text}\n", "utf-8")
    return texts


def main() -> None:
    """Write all of them into the folder that the command line names."""
    folder = Path(sys.argv[1])
    for name, text in written(folder).items():
        print(f"{folder / name}: {len(json.loads(text)['components'])} components")


if __name__ == "__main__":
    main()
