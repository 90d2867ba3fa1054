"""Builds the Dockerfile and runs the image on a machine without an engine: overlay mounts and chroot.

Knows the instructions that our Dockerfile uses and refuses others. What stands for the base image is this
machine's own root directory with the Python that runs the tests in /usr/local, where python:3.11-slim has
it; everything is written to memory and gone at the end. Needs root and a mount namespace of its own:

    unshare --mount --propagation private python -m tests.support.dockerfile CONTEXT PID RUN...

builds the image and runs it once for every RUN, a JSON object with the ``arguments`` of goretain, the
capabilities that the engine ``grants`` besides its default ones, and further ``options`` of setpriv. It runs
beside the process: in its PID namespace, with a root directory and /proc of its own (docker run
--pid=container:X, kubectl debug --target). Prints one JSON object for every run: status, stdout, stderr.
"""

from __future__ import annotations

import fnmatch
import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What Docker and containerd grant by default.
DEFAULT = (
    "chown", "dac_override", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "net_bind_service",
    "net_raw", "sys_chroot", "mknod", "audit_write", "setfcap",
)  # fmt: skip


@dataclass(slots=True)
class Stage:
    """One FROM: its root directory and what the instructions have set."""

    name: str
    root: Path
    env: dict[str, str] = field(default_factory=dict)
    user: str = "0:0"
    folder: str = "/"
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """(INSTRUCTION, rest) with continued lines joined and comments left out."""
    text = "\n".join(line for line in dockerfile.read_text().splitlines() if not line.startswith("#"))
    lines = [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def build(context: Path, scratch: Path) -> Stage:
    """Follow the Dockerfile of a context; the last stage."""
    stages: list[Stage] = []
    for word, rest in instructions(context / "Dockerfile"):
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            assert base == "python:3.11-slim", f"cannot imitate {base}"
            stages.append(Stage(name, _root(scratch, f"stage{len(stages)}")))
            continue
        stage = stages[-1]
        if word == "RUN":
            print(f"RUN {rest}", file=sys.stderr, flush=True)
            _run(stage, ["sh", "-ec", rest], check=True)
        elif word == "COPY":
            _copy(rest, context, stages)
        elif word == "ENV":
            name, _, value = rest.partition("=")
            stage.env[name] = value.replace("$PATH", _path(stage))
        elif word == "USER":
            stage.user = rest
        elif word == "WORKDIR":
            stage.folder = rest
            (stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "ENTRYPOINT":
            stage.entrypoint = json.loads(rest)
        elif word == "CMD":
            stage.command = json.loads(rest)
        else:
            raise AssertionError(f"does not know {word}")
    return stages[-1]


def _root(scratch: Path, name: str) -> Path:
    """A root directory: this machine's, with the tests' own Python in /usr/local."""
    base, root = scratch / "base", scratch / name / "root"
    if not base.exists():
        local = base / "usr/local"
        local.parent.mkdir(parents=True)
        skip = shutil.ignore_patterns("__pycache__", "test", "site-packages", "*.a")
        shutil.copytree(sys.base_prefix, local, symlinks=True, ignore=skip)
        shutil.copytree(
            Path(sys.base_prefix) / "lib/python3.11/site-packages/pip",
            local / "lib/python3.11/site-packages/pip",
        )
    for part in ("upper", "work", "root"):
        (scratch / name / part).mkdir(parents=True)
    layers = f"lowerdir={base}:/,upperdir={scratch}/{name}/upper,workdir={scratch}/{name}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, root], check=True)
    subprocess.run(["mount", "--rbind", "/dev", root / "dev"], check=True)
    subprocess.run(["chroot", root, "ldconfig"], check=True)  # it has a Python of its own in /usr/bin, too
    subprocess.run(["mount", "-t", "proc", "proc", root / "proc"], check=True)
    return root


def _path(stage: Stage) -> str:
    return stage.env.get("PATH", "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin")


def _run(stage: Stage, command: list[str], *, check: bool) -> int:
    # Settings of the package tools come along: they say where the registries are.
    kept = {
        k: v for k, v in os.environ.items() if k.startswith(("PIP_", "UV_", "SSL_")) or "proxy" in k.lower()
    }
    env = {**kept, "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive", **stage.env, "PATH": _path(stage)}
    inside = [
        "chroot",
        str(stage.root),
        "sh",
        "-c",
        f"cd {shlex.quote(stage.folder)} && exec {shlex.join(command)}",
    ]
    return subprocess.run(inside, env=env, stdout=sys.stderr, check=check).returncode


def _copy(rest: str, context: Path, stages: list[Stage]) -> None:
    words = rest.split()
    stage, source_root = stages[-1], context
    if words[0].startswith("--from="):
        name = words.pop(0).removeprefix("--from=")
        source_root = next(one.root for one in stages if one.name == name)
    *sources, target = words
    into = (
        stage.root / stage.folder.lstrip("/") / target
        if not target.startswith("/")
        else stage.root / target[1:]
    )
    for source in sources:
        path = source_root / source.lstrip("/")
        if source_root == context:
            assert sent(context, source), f"{source} is left out by .dockerignore"
        place = into / path.name if target.endswith("/") else into
        if path.is_dir():
            skip = shutil.ignore_patterns("__pycache__") if source_root == context else None
            shutil.copytree(path, place, symlinks=True, dirs_exist_ok=True, ignore=skip)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def sent(context: Path, name: str) -> bool:
    """Whether .dockerignore lets a file at the top of the context through; its last word counts."""
    kept = True
    for line in (context / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#") and fnmatch.fnmatch(name, line.lstrip("!")):
            kept = line.startswith("!")
    return kept


def enter(stage: Stage, pid: int, run: dict[str, Any]) -> dict[str, Any]:
    """Run the image beside a process: its PID namespace, our root directory, the engine's capabilities."""
    user, _, group = stage.user.partition(":")
    bounding = ",".join(["-all", *(f"+{name}" for name in (*DEFAULT, *run["grants"]))])
    rights = ["setpriv", "--reuid", user, "--regid", group, "--clear-groups", "--bounding-set", bounding]
    rights += ["--inh-caps", "-all"]
    if run.get("options"):  # once more, because setpriv keeps what is permitted up to its exec
        rights += ["setpriv", *run["options"]]
    settings = [f"{name}={value}" for name, value in {**stage.env, "PATH": _path(stage)}.items()]
    arguments = run["arguments"] or stage.command
    program = shlex.join(["env", "-i", *settings, *rights, *stage.entrypoint, *arguments])
    script = f"mount -t proc proc /proc && cd {shlex.quote(stage.folder)} && exec {program}"
    beside = ["nsenter", "--pid", "--target", str(pid), "unshare", "--mount", "chroot", str(stage.root)]
    done = subprocess.run([*beside, "sh", "-c", script], capture_output=True, text=True, check=False)
    return {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def main() -> int:
    """Build once, run as often as asked for."""
    context, pid = Path(sys.argv[1]), int(sys.argv[2])
    scratch = Path("/dev/shm") / f"goretain-image-{os.getpid()}"
    scratch.mkdir(mode=0o755)
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4g,mode=755", "tmpfs", scratch], check=True)
        stage = build(context, scratch)
        for run in sys.argv[3:]:
            print(json.dumps(enter(stage, pid, json.loads(run))), flush=True)
        return 0
    finally:
        subprocess.run(["umount", "--lazy", scratch], check=False)
        scratch.rmdir()


if __name__ == "__main__":
    sys.exit(main())
