"""A small root for dpkg and apt with a repository of its own: packages are really built, found, installed and updated,
and nothing of the machine itself is touched.

    apt_root.py DIRECTORY     makes it; prints the environment under which dpkg and apt use it, one NAME=value a line

What is there: `hello-muster` and `broken-muster` have a security update, of which the second cannot be installed;
`tool-muster` has an update that is not about security; `reject-muster` has none.
"""

import gzip
import hashlib
import os
import subprocess
import sys

SECURITY = "bookworm-security"
PLAIN = "bookworm"


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)


def build(top, name, version, changes="", preinst=""):
    """Builds a package; gives its path below the repository."""
    tree = os.path.join(top, "build", f"{name}-{version}")
    control = [
        f"Package: {name}",
        f"Version: {version}",
        "Architecture: all",
        "Maintainer: Test <test@example.org>",
        "Section: utils",
        "Priority: optional",
        f"Description: {name} of a test",
    ]
    write(os.path.join(tree, "DEBIAN/control"), "\n".join(control) + "\n")
    if preinst:
        write(os.path.join(tree, "DEBIAN/preinst"), preinst, 0o755)
    log = f"{name} ({version}) {SECURITY}; urgency=high\n\n  * {changes}\n\n -- T <t@example.org>  Mon, 05 Jan 2026 00:00:00 +0000\n"
    docs = os.path.join(tree, "usr/share/doc", name)
    os.makedirs(docs, exist_ok=True)
    with gzip.open(os.path.join(docs, "changelog.Debian.gz"), "wt") as file:
        file.write(log)
    path = os.path.join("pool", f"{name}_{version}_all.deb")
    target = os.path.join(top, "repo", path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", tree, target], check=True, stdout=subprocess.DEVNULL)
    return path


def index(top, suite, packages):
    """Puts packages into a suite of the repository."""
    entries = []
    for path in packages:
        full = os.path.join(top, "repo", path)
        fields = subprocess.run(["dpkg-deb", "-f", full], check=True, capture_output=True, text=True).stdout
        with open(full, "rb") as file:
            content = file.read()
        sha256 = hashlib.sha256(content).hexdigest()
        entries.append(f"{fields}Filename: {path}\nSize: {len(content)}\nSHA256: {sha256}\n")
    folder = os.path.join(top, "repo/dists", suite, "main", f"binary-{architecture()}")
    write(os.path.join(folder, "Packages"), "\n".join(entries))


def architecture():
    return subprocess.run(["dpkg", "--print-architecture"], check=True, capture_output=True, text=True).stdout.strip()


def make(top):
    root = os.path.join(top, "root")
    for folder in (
        "var/lib/dpkg/info var/lib/dpkg/updates var/lib/dpkg/triggers etc/apt/apt.conf.d etc/apt/preferences.d "
        "etc/apt/sources.list.d var/lib/apt/lists/partial var/cache/apt/archives/partial var/log/apt run tmp"
    ).split():
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    for file in ("status", "available"):
        write(os.path.join(root, "var/lib/dpkg", file), "")
    config = f"""Dir "{root}";
Dir::State::status "{root}/var/lib/dpkg/status";
Dir::Bin::Methods "/usr/lib/apt/methods";
Dir::Bin::dpkg "/usr/bin/dpkg";
DPkg::Options {{ "--root={root}"; "--force-not-root"; "--force-script-chrootless"; }};
APT::Sandbox::User "";
Acquire::Languages "none";
"""
    write(os.path.join(top, "apt.conf"), config)
    sources = [f"deb [trusted=yes] file:{top}/repo {suite} main" for suite in (PLAIN, SECURITY)]
    write(os.path.join(root, "etc/apt/sources.list"), "\n".join(sources) + "\n")
    old = [build(top, name, "1.0-1", "first") for name in ("hello-muster", "broken-muster", "tool-muster", "reject-muster")]
    new = [
        build(top, "hello-muster", "1.1-1", "mends CVE-2026-0001"),
        build(top, "broken-muster", "1.1-1", "mends CVE-2026-0002", "#!/bin/sh\necho cannot be installed >&2\nexit 1\n"),
    ]
    index(top, SECURITY, new)
    index(top, PLAIN, [build(top, "tool-muster", "1.1-1", "nicer")])
    names = [os.path.join(top, "repo", path) for path in old]
    dpkg = ["dpkg", f"--root={root}", "--force-not-root", "--force-script-chrootless", "-i"]
    subprocess.run([*dpkg, *names], check=True, stdout=subprocess.DEVNULL)
    return {
        "APT_CONFIG": os.path.join(top, "apt.conf"),
        "DPKG_ROOT": root,
        "DPKG_ADMINDIR": os.path.join(root, "var/lib/dpkg"),
    }


for name, value in make(os.path.abspath(sys.argv[1])).items():
    print(f"{name}={value}")
