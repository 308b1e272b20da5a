"""make install: the installed files, that uninstall removes just these, and that the installed program works."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from harness import BINARY, ROOT, USER, call, processes_of, run

EXPECTED = {"bin/tonicfs", "sbin/mount.tonicfs", "share/man/man1/tonicfs.1",
            "share/bash-completion/completions/tonicfs", "lib/systemd/user/tonicfs.service",
            "lib/systemd/user/tonicfs-serve.service"}


def install(*words):
    return subprocess.run([ROOT / "scripts" / "install.sh", *map(str, words)], capture_output=True, text=True,
                          timeout=30, check=False)


def files_below(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_symlink() or path.is_file()}


def test_install_puts_everything_in_place_and_remove_takes_it_away(tmp_path):
    made = install(BINARY, tmp_path, "/opt/tonic")
    assert made.returncode == 0, made.stderr
    prefix = tmp_path / "opt" / "tonic"
    assert files_below(prefix) == EXPECTED
    assert os.readlink(prefix / "sbin/mount.tonicfs") == "../bin/tonicfs"
    unit = (prefix / "lib/systemd/user/tonicfs.service").read_text()
    assert "ExecStart=/opt/tonic/bin/tonicfs mount -f " in unit
    serve = (prefix / "lib/systemd/user/tonicfs-serve.service").read_text()
    assert "ExecStart=/opt/tonic/bin/tonicfs serve --listen ${TONICFS_LISTEN}" in serve
    assert "@BINDIR@" not in unit + serve
    other = prefix / "bin" / "other"
    other.write_text("not ours")
    gone = install("--remove", tmp_path, "/opt/tonic")
    assert gone.returncode == 0, gone.stderr
    assert files_below(prefix) == {"bin/other"}
    assert install("--remove", tmp_path, "/opt/tonic").returncode == 0


def test_the_serve_unit_is_well_confined(tmp_path):
    """By systemd's own scale, on which 20 is 2.0 of 10 (10 is a service without a sandbox)."""
    assert install(BINARY, tmp_path, "/usr").returncode == 0
    unit = tmp_path / "usr/lib/systemd/user/tonicfs-serve.service"
    made = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit],
                          capture_output=True, text=True, timeout=30, check=False)
    assert made.returncode == 0, made.stdout[-2000:] + made.stderr
    assert "Overall exposure level" in made.stdout


def test_install_refuses_what_it_cannot_do(tmp_path):
    assert install(tmp_path / "none", tmp_path, "/usr").returncode == 1
    assert install(BINARY, tmp_path, "relative").returncode == 2
    assert install(BINARY).returncode == 2
    assert files_below(tmp_path) == set()


def test_what_a_system_other_than_debian_lacks_is_named_and_is_an_error(tmp_path):
    release = tmp_path / "os-release"
    release.write_text('ID=fedora\nVERSION_ID=41\n')
    bare = tmp_path / "bin"
    bare.mkdir()
    for tool in ("awk", "bash"):
        (bare / tool).symlink_to(shutil.which(tool))

    def deps(path):
        return subprocess.run([ROOT / "scripts" / "install-deps.sh", "build"], capture_output=True, text=True, timeout=30,
                              check=False, env={"OS_RELEASE": str(release), "PATH": str(path)})

    nothing = deps(bare)
    assert nothing.returncode == 1
    assert {"  libfuse 3.14 or newer", "  libcurl", "  SQLCipher 4.5 or newer"} <= set(nothing.stderr.splitlines())
    everything = deps(os.environ["PATH"])
    assert (everything.returncode, everything.stdout, everything.stderr) == (0, "", "")


def test_mount_by_the_helpers_of_mount8(tonic, folder):
    """As /sbin/mount.tonicfs SOURCE DIR -o OPTIONS, and as mount.fuse3 calls it for the type fuse.tonicfs."""
    tonic.init()
    made = install(BINARY, folder, "/prefix")
    assert made.returncode == 0, made.stderr
    prefix = folder / "prefix"
    env = {**tonic.env, "PATH": f"{prefix}/bin:{tonic.env['PATH']}"}
    options = "noauto,user,nofail,_netdev,x-systemd.automount,ro,nosuid,nodev,names=sid"
    for argv in ([prefix / "sbin/mount.tonicfs", tonic.catalog], ["mount.fuse3", f"tonicfs#{tonic.catalog}"]):
        path = tonic.make_dir(tonic.fresh("mount").name)
        run([*argv, path, "-o", options], env=env)
        try:
            with open("/proc/self/mountinfo", encoding="utf-8") as file:
                line = next(line for line in file if f" {path} " in line)
            assert " fuse.tonicfs " in line
            assert line.split(" ")[5].startswith("ro"), line
            assert call(os.listdir, path) == []
        finally:
            run(["fusermount3", "-u", "--", path], env=env)


@pytest.mark.skipif(not USER.is_other, reason="root mounts, as the user that the line of fstab names")
def test_a_mount_for_a_user_has_nothing_of_root(tonic, folder):
    """mount.tonicfs … -o setuid=USER: neither root's environment, nor its descriptors, nor its groups."""
    found = tonic.home / "found"
    probe = tonic.file_with(f"""
        {{ echo "$(id -u) $(id -G)"; ls /proc/self/fd | tr '\\n' ' '; echo; env; }} >{found}
        echo {'ab' * 32}
    """)
    tonic("init", "--key-command", f". {probe}")
    assert install(BINARY, folder, "/prefix").returncode == 0
    path = tonic.make_dir("mount")
    secret = os.open(tonic.file_with("root's"), os.O_RDONLY)
    os.set_inheritable(secret, True)
    found.unlink()
    env = {**tonic.env, "HOME": "/root", "USER": "root", "AWS_SECRET_ACCESS_KEY": "of root", "TONICFS_KEY_FILE": "/root/key",
           "XDG_DATA_HOME": "/root/data", "PATH": f"/root/bin:{tonic.env['PATH']}"}
    subprocess.run([folder / "prefix/sbin/mount.tonicfs", tonic.catalog, path, "-o", f"setuid={USER.name}"], env=env,
                   pass_fds=[secret], check=True, timeout=30)
    try:
        pid, = processes_of(path, program=folder / "prefix/bin/tonicfs")
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0, "it can be dumped again"
        assert b"root" not in Path(f"/proc/{pid}/environ").read_bytes()
        assert str(secret) not in os.listdir(f"/proc/{pid}/fd") or "file" not in os.readlink(f"/proc/{pid}/fd/{secret}")
    finally:
        os.close(secret)
        run(["fusermount3", "-u", "--", path], env=tonic.env)
    ids, descriptors, *variables = found.read_text().splitlines()
    assert ids.split()[:2] == [str(USER.uid), str(USER.gid)] and "0" not in ids.split()
    assert set(descriptors.split()) <= {"0", "1", "2", "3"}  # 3 is the folder that ls reads
    names = {line.partition("=")[0] for line in variables}
    assert names - {"PWD", "OLDPWD", "_", "SHLVL"} == {"PATH", "HOME", "USER", "LOGNAME", "LC_ALL"}
    assert f"USER={USER.name}" in variables and not any("root" in line for line in variables)


def test_completion_offers_commands_and_options(binary, tmp_path):
    script = f"""
        tonicfs() {{ {BINARY} "$@"; }}
        compopt() {{ :; }}
        . {ROOT}/scripts/completion/tonicfs.bash
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _tonicfs; printf '%s\\n' "${{COMPREPLY[@]}}"
    """

    def offered(*words):
        made = subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, timeout=30,
                              check=True)
        assert not made.stderr
        return set(made.stdout.split())

    assert {"init", "mount", "unmount", "sync", "workspace", "rm"} <= offered("tonicfs", "")
    assert {"add", "set", "list", "show", "remove"} == offered("tonicfs", "workspace", "")
    assert "--account" in offered("tonicfs", "workspace", "add", "--")
    assert "--account" not in offered("tonicfs", "mount", "--")
    assert "nonempty" in offered("tonicfs", "mount", "/mnt", "-o", "no")
    assert {"--lazy", "--timeout"} <= offered("tonicfs", "unmount", "--")
    assert {"delete_s3=", "delete_twilio="} <= offered("tonicfs", "workspace", "set", "acme", "")
