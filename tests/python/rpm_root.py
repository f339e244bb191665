"""A small root for rpm and dnf with a repository of its own, as a system of Red Hat's family: packages are really built,
found, installed and updated, and nothing of the machine itself is touched.

    rpm_root.py DIRECTORY     makes it; prints the environment under which the agent patches it, one NAME=value a line

What is there, with advisories: `hello-muster` has a security update (1.1) and a newer one that an advisory of today brings
(1.2); `broken-muster` has a security update that cannot be installed; `fixed-muster` has one that mends a bug, and
`plain-muster` one of which no advisory speaks. An update of `microcode_ctl` asks for a reboot, which ends the first process
of the agent's process namespace.
"""

import datetime
import os
import socket
import subprocess
import sys

OLD = "2026-01-06 00:00:00"
TODAY = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def build(top, name, version, before=""):
    """Builds a package into the repository."""
    spec = f"""Name: {name}
Version: {version}
Release: 1
Summary: {name} of a test
License: MIT
BuildArch: noarch
%description
Of a test.
{"%pre" if before else ""}
{before}
%files
"""
    path = os.path.join(top, "specs", f"{name}-{version}.spec")
    write(path, spec)
    folders = ["--define", f"_topdir {top}/build", "--define", f"_rpmdir {top}/repo"]
    subprocess.run(["rpmbuild", "-bb", *folders, path], check=True, capture_output=True)


def advisory(id, kind, severity, day, name, version, vulnerabilities=()):
    cves = "".join(f'<reference href="https://example.org" id="{cve}" title="{cve}" type="cve"/>' for cve in vulnerabilities)
    return f"""<update from="test@example.org" status="final" type="{kind}" version="1">
<id>{id}</id><title>{name} update</title><severity>{severity}</severity>
<issued date="{day}"/><updated date="{day}"/>
<references>{cves}</references><description>Of a test.
  Update ID: not one</description>
<pkglist><collection short="c"><name>c</name>
<package name="{name}" version="{version}" release="1" epoch="0" arch="noarch" src="{name}-{version}-1.src.rpm">
<filename>Packages/{name}-{version}-1.noarch.rpm</filename></package></collection></pkglist></update>"""


def make(top):
    names = ["hello-muster", "broken-muster", "fixed-muster", "plain-muster", "microcode_ctl"]
    for name in names:
        build(top, name, "1.0")
    for name, version in (("hello-muster", "1.1"), ("hello-muster", "1.2"), ("fixed-muster", "1.1"), ("plain-muster", "1.1"), ("microcode_ctl", "1.1")):
        build(top, name, version)
    build(top, "broken-muster", "1.1", "echo cannot be installed >&2; exit 1")
    repo = os.path.join(top, "repo")
    subprocess.run(["createrepo_c", "--quiet", repo], check=True)
    told = [
        advisory("TSA-2026:0001", "security", "Important", OLD, "hello-muster", "1.1", ["CVE-2026-0001", "CVE-2026-0009"]),
        advisory("TSA-2026:0002", "security", "Critical", OLD, "broken-muster", "1.1", ["CVE-2026-0002"]),
        advisory("TSA-2026:0005", "security", "Important", OLD, "microcode_ctl", "1.1", ["CVE-2026-0005"]),
        advisory("TBA-2026:0003", "bugfix", "None", OLD, "fixed-muster", "1.1"),
        advisory("TSA-2026:0004", "security", "Moderate", TODAY, "hello-muster", "1.2", ["CVE-2026-0004"]),
    ]
    write(os.path.join(top, "updateinfo.xml"), f'<?xml version="1.0"?><updates>{"".join(told)}</updates>')
    subprocess.run(["modifyrepo_c", os.path.join(top, "updateinfo.xml"), f"{repo}/repodata"], check=True, capture_output=True)
    root = os.path.join(top, "root")
    write(os.path.join(root, "etc/os-release"), 'NAME="Rocky Linux"\nID="rocky"\nVERSION_ID="9.3"\n')
    lines = f"[test]\nname=test\nbaseurl=file://{repo}\ngpgcheck=0\nenabled=1\n"
    write(os.path.join(root, "etc/yum.repos.d/test.repo"), lines)
    old = [f"{repo}/noarch/{name}-1.0-1.noarch.rpm" for name in names]
    subprocess.run(["rpm", f"--root={root}", "--install", *old], check=True, capture_output=True)
    reboot = os.path.join(top, "reboot.sh")
    write(reboot, f"#!/bin/sh\necho rebooted >> {top}/reboots\nkill -TERM 1\n")
    os.chmod(reboot, 0o755)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return {
        "MUSTER_AGENT_SYSTEM_ROOT": root,
        "MUSTER_AGENT_REBOOT_COMMAND": reboot,
        # Where the test's script serves objects.
        "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}",
    }


if __name__ == "__main__":
    for name, value in make(os.path.abspath(sys.argv[1])).items():
        print(f"{name}={value}")
