"""make install: what it puts where, that it takes away just that, and that what it installed works."""

import os
import subprocess

from harness import BINARY, ROOT, call, run

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
    assert "@" not in unit + serve
    other = prefix / "bin" / "other"
    other.write_text("not ours")
    gone = install("--remove", tmp_path, "/opt/tonic")
    assert gone.returncode == 0, gone.stderr
    assert files_below(prefix) == {"bin/other"}
    assert install("--remove", tmp_path, "/opt/tonic").returncode == 0


def test_install_refuses_what_it_cannot_do(tmp_path):
    assert install(tmp_path / "none", tmp_path, "/usr").returncode == 1
    assert install(BINARY, tmp_path, "relative").returncode == 2
    assert install(BINARY).returncode == 2
    assert files_below(tmp_path) == set()


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
