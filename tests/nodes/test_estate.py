"""A life of three hosts under systemd and cron: laid out, started, halted, cut off, without power, and sound after all.

The tests are steps of one life, in their order: each goes on where the one before stopped.
"""

import json
from collections.abc import Iterator

import pytest

from tests.nodes.estate import HOME, OFF, SERVICES, Estate, estate
from tests.nodes.image import why_not

pytestmark = pytest.mark.nodes
OWN = ("vanta*", "executor*", "markets*")


@pytest.fixture(scope="module")
def three() -> Iterator[Estate]:
    """Three hosts that run Debian and nothing of ours yet."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with estate() as made:
        yield made


def resume(three: Estate) -> None:
    """A person at the executor: every latch by its name, then dispatch."""
    executor = three.at["executor"]
    for latch in three.state()["latches"]:
        name = latch["latch_id"]
        executor.shell(f'vanta-run release --latch {name} --confirm {name} --reason "looked at"')
    three.until(lambda: not three.state()["latches"], "the releases arrive")
    executor.shell('vanta-run release --scope global --confirm global --reason "looked at"')
    three.until(lambda: three.state()["dispatch"] == "open", "dispatch is open")


def no_order_twice(three: Estate) -> None:
    """By the executor's own log: neither an order nor an intent leaves a second time."""
    sent = [one["ids"] for one in three.log() if one["kind"] == "order.submitting"]
    for name in ("order_id", "intent_id"):
        assert len({ids[name] for ids in sent}) == len(sent)


def test_installing_changes_nothing_a_second_time_and_starts_nothing(three: Estate) -> None:
    """Twice `vanta install`: the second finds nothing to do, not a byte or a time changes, no service runs."""
    three.install()
    for node, machine in three.at.items():
        second, before, after = three.installed[node]
        assert f"install {node}: nothing to change" in second
        assert before == after
        assert not machine.does("systemctl", "list-units", "--no-legend", "--state=active", "--type=service", *OWN)
        assert set(machine.tries("systemctl", "is-enabled", *SERVICES[node]).stdout.split()) == {"disabled"}


def test_nothing_is_sent_before_a_person_says_so(three: Estate) -> None:
    """Cron harvests, the queue crosses, the executor looks and holds everything."""
    three.configure()
    three.start()
    three.collect("sec", "reddit")
    three.until(lambda: b'"intent_id"' in three.replica("executor", "autotrade_queue.json", "markets"),
                "cron harvests, the queue is staged and carried over")
    three.until(lambda: three.state().get("dispatch"), "the executor says how it is")
    assert three.state()["dispatch"] != "open"
    assert three.count("order.submitting") == 0


def test_released_it_trades(three: Estate) -> None:
    """After a release orders are filled, and every node holds the log that says so; nothing else crossed."""
    resume(three)
    three.until(lambda: three.count("fill"), "an order is filled")
    assert not three.raw("executor", "autotrade_queue.json")
    assert not three.raw("markets", "trade_log.jsonl")
    for node in ("alpha", "markets"):
        three.until(lambda node=node: b'"fill"' in three.replica(node), f"{node} has the fill")  # type: ignore[misc]


def test_an_edit_at_alpha_halts_the_executor(three: Estate) -> None:
    """One file saved on Alpha halts, saved again it lets go."""
    three.save("alpha", "vault_overlay.json", {**OFF, "full_halt": {"enabled": True, "reason": "enough", "by": "ann"}})
    three.until(lambda: "halt.full_halt" in str(three.state().get("dispatch_reason")), "the halt arrives")
    three.save("alpha", "vault_overlay.json", {**OFF, "reason": "go on", "by": "ann"})
    three.until(lambda: three.state()["dispatch"] == "open", "the halt is over")


def test_the_operators_commands_halt_where_they_can_and_say_so_where_not(three: Estate) -> None:
    """By a command at Alpha, told in its brief; at Markets nothing of it begins, nor does a program of another node."""
    alpha, brief = three.at["alpha"], f"{HOME}/build/logs/brief-daily.txt"
    alpha.shell('vanta overlay set full_halt --reason "enough for today"')
    three.until(lambda: "halt.full_halt" in str(three.state().get("dispatch_reason")), "the halt arrives")
    alpha.does("systemctl", "start", "vanta-assistant@daily")
    assert "enough for today" in alpha.text(brief)
    assert alpha.shell(f"stat -c %U {brief}") == "vanta-assistant\n"
    assert "enough for today" in alpha.shell(f"python3 {HOME}/build/vanta_assistant.py ask 'why are there no orders?'")
    alpha.shell('vanta overlay clear full_halt --confirm full_halt --reason "go on"')
    three.until(lambda: three.state()["dispatch"] == "open", "the halt is over")
    words = "export PATH=$PATH:/opt/vanta-venv/bin; "
    assert three.at["markets"].tries("bash", "-c", f"{words}vanta overlay set full_halt").returncode == 6
    assert alpha.tries("bash", "-c", f"{words}vanta executor run").returncode == 78


def test_what_is_shown_on_a_node_is_to_be_done_there_by_its_units(three: Estate) -> None:
    """The checklist finds nothing wrong with what the installer laid out; a stopped service is started by its unit."""
    executor = three.at["executor"]
    for machine in three.at.values():
        said = machine.tries("/opt/vanta-venv/bin/vanta-diagnostics", "doctor").stdout
        assert "✗" not in said, said
    executor.does("systemctl", "stop", "executor-router")
    assert "→ executor: systemctl start executor-router\n" in executor.shell("vanta-diagnostics")
    executor.does("systemctl", "start", "executor-router")
    three.until(lambda: three.state()["dispatch"] == "open", "it goes on")


def test_a_cut_link_latches_and_a_healed_one_waits_for_a_person(three: Estate) -> None:
    """Silence latches the executor; it stays so when Alpha is heard again, until somebody releases it."""
    three.network.cut("executor")
    three.until(lambda: [one["code"] for one in three.state()["latches"]] == ["halt.no_lease"], "the silence latches")
    sent = three.count("order.submitting")
    three.network.heal("executor")
    three.until(lambda: [one["payload"] for one in three.log() if one["kind"] == "control.seen" and
                         one["payload"]["what"] == "lease of alpha"][-1]["sha256"] == "held", "Alpha is heard again")
    assert three.state()["dispatch"] == "latched"
    assert three.count("order.submitting") == sent
    resume(three)


@pytest.mark.parametrize("node", ["executor", "markets", "alpha"])
def test_power_is_cut(three: Estate, node: str) -> None:
    """In the middle of its work. Services come back by themselves, what is recorded is sound, nothing is sent twice."""
    machine = three.at[node]
    before = three.raw("executor", "trade_log.jsonl")
    machine.power_cut()
    machine.boot()
    machine.until(lambda: machine.tries("systemctl", "is-active", *SERVICES[node]).returncode == 0, "it serves again")
    assert three.raw("executor", "trade_log.jsonl").startswith(before.rpartition(b"\n")[0])
    if node == "executor":
        three.until(lambda: three.count("program.started") > before.count(b'"program.started"'), "it is folded again")
        said = [line for line in machine.text(f"{HOME}/logs/executor.log").splitlines() if '"started"' in line]
        assert json.loads(said[-1])["recovered"]
    if three.state()["dispatch"] != "open":
        three.until(lambda: three.state()["dispatch"] in ("open", "latched", "held"), "it says how it is")
        resume(three)
    no_order_twice(three)


def test_it_goes_on_trading(three: Estate) -> None:
    """After all of it a new day's news is traded, nothing twice."""
    before = three.count("fill")
    three.wave(3)
    three.collect("sec")
    three.until(lambda: three.count("fill") > before, "the reversal is traded")
    no_order_twice(three)


def test_every_node_can_prove_it(three: Estate) -> None:
    """The replica at Alpha verifies and replays equal to the executor's own books."""
    three.at["executor"].does("systemctl", "stop", "executor-router")
    whole = three.raw("executor", "trade_log.jsonl")
    for node in ("alpha", "markets"):
        three.until(lambda node=node: three.replica(node) == whole, f"{node} has everything")  # type: ignore[misc]
    for words in ("verify", "replay"):
        three.at["alpha"].shell(f"vanta {words} --home {HOME}/memory/replica/executor")
    three.at["executor"].shell("vanta verify")


def test_a_lost_executor_comes_back_from_its_archive(three: Estate) -> None:
    """Kept by the daily unit, as INSTALL says; what is restored verifies and replays to the same bytes."""
    executor, folder = three.at["executor"], "/mnt/archive/executor"
    executor.does("install", "-d", "-o", "vanta-executor", "-g", "vanta", "-m", "750", folder)
    executor.shell(f"runuser -u vanta-executor -- /opt/vanta-venv/bin/vanta archive begin --folder {folder}")
    executor.shell(f"printf '[archive]\nfolder = \"{folder}\"\n' >> {HOME}/config/vanta.toml")
    executor.put("/etc/systemd/system/vanta-executor-tidy.service.d/override.conf",
                 f"[Service]\nReadWritePaths={folder}\n")
    executor.does("systemctl", "daemon-reload")
    executor.does("systemctl", "start", "vanta-executor-tidy")
    key = three.fingerprint("executor")
    executor.shell(f"vanta archive verify --key {key} && vanta archive restore {folder} --to /srv/back --key {key}")
    for words in ("verify", "replay"):
        executor.shell(f"vanta {words} --home /srv/back")


def test_the_build_folder_is_read_over_the_network_and_flips(three: Estate) -> None:
    """Mounted by the shipped unit over sshfs, which delivers no inotify, like NFS; a release moves under readers."""
    alpha = three.at["alpha"]
    for version in ("1", "2"):
        folder = f"{HOME}/build/modules/m/releases/{version}/bin"
        alpha.shell(f"mkdir -p {folder}; echo '#!/bin/sh\necho {version}' > {folder}/name; chmod 755 {folder}/name")
        three.release(version)
    readers = [three.mount_build(node) for node in ("markets", "executor")]
    said = f"{HOME}/build/modules/m/current/bin/name"
    assert [one.shell(said).strip() for one in readers] == ["2", "2"]
    alpha.shell("tracker_manager.py rollback m")
    for one in readers:
        one.until(lambda one=one: one.shell(said) == "1\n", "the release before is back")  # type: ignore[misc]
        assert one.tries("touch", f"{HOME}/build/x").returncode == 1
        assert "ro," in one.shell(f"grep {HOME}/build /proc/mounts")
    three.network.cut("alpha")
    assert all(one.tries("timeout", "60", "ls", f"{HOME}/build/modules").returncode not in (0, 124) for one in readers)
    three.network.heal("alpha")
    for one in readers:
        one.until(lambda one=one: one.tries(said).stdout == "1\n", "it is there again")  # type: ignore[misc]


def test_the_shipped_rules_let_an_account_reach_what_is_listed(three: Estate) -> None:
    """Root reaches a port of another host, the node's account does not; the transport goes on."""
    executor, address = three.at["executor"], three.network.addresses
    word = "timeout 10 bash -c ': < /dev/tcp/vanta-markets/8443'"
    three.at["markets"].does("systemd-run", "--unit=listener", "python3", "-m", "http.server", "8443")
    executor.until(lambda: executor.tries("bash", "-c", word).returncode == 0, "root reaches it")
    as_account = ["runuser", "-u", "vanta-executor", "--", "bash", "-c", word]
    assert executor.tries(*as_account).returncode == 0
    executor.put("/etc/nftables.d/vanta-executor-hosts.nft", "add element inet vanta_executor nodes4 "
                 f"{{ {address['alpha']}, {address['markets']} }}\n")
    executor.does("nft", "-f", "/etc/nftables.d/vanta-executor.nft")
    assert executor.tries("bash", "-c", word).returncode == 0
    assert executor.tries(*as_account).returncode == 1
    executor.does("systemctl", "restart", "vanta-executor-transport")
    lease = three.replica("executor", "controls_lease.json", "alpha")
    three.until(lambda: three.replica("executor", "controls_lease.json", "alpha") != lease, "Alpha is heard")


def test_a_daemon_that_hangs_is_found_by_the_sweep_and_restarted_by_the_watchdog(three: Estate) -> None:
    """Stopped in the middle: cron's sweep says so and sends nothing, systemd starts it anew, nothing is sent twice."""
    executor = three.at["executor"]
    executor.does("systemctl", "start", "executor-router")
    executor.until(lambda: three.state()["dispatch"] in ("open", "held", "latched"), "it has looked")
    pid = executor.shell("systemctl show -p MainPID --value executor-router").strip()
    executor.does("kill", "-STOP", pid)
    executor.until(lambda: executor.tries("systemctl", "is-failed", "executor-sweep").returncode == 0,
                   "the sweep fails", 300)
    assert executor.shell("systemctl show -p ExecMainStatus --value executor-sweep").strip() == "2"
    main = "systemctl show -p MainPID --value executor-router"
    executor.until(lambda: executor.shell(main).strip() not in (pid, "0"), "the watchdog has it started anew", 300)
    executor.until(lambda: not executor.tries("systemctl", "start", "executor-sweep").returncode, "the sweep is well")
    no_order_twice(three)


def test_operators_may_halt_and_look_by_fixed_words_only(three: Estate) -> None:
    """Through the shipped sudo rules, as somebody of the group; the halt holds."""
    executor = three.at["executor"]
    executor.does("useradd", "-G", "vanta-ops", "ann")
    ann = ["runuser", "-u", "ann", "--", "sudo", "-n", "-u", "vanta-executor"]
    programs = "/opt/vanta-venv/bin"
    for word in ("status", "kill"):
        done = executor.tries(*ann, f"{programs}/vanta-run", word, "--home", HOME)
        assert done.returncode in (0, 1, 2), done.stderr
        assert "not allowed" not in done.stderr
    assert not (executor.disk / "opt/vanta/memory/dispatch.permit").exists()
    release = [f"{programs}/vanta-run", "release", "--home", HOME, "--scope", "global", "--confirm", "global"]
    assert executor.tries(*ann, *release, "--reason", "x").returncode == 1
    assert not (executor.disk / "opt/vanta/memory/dispatch.permit").exists()
