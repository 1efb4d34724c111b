"""Pods, as a kubelet has them run by containerd: what is told of their containers and sandboxes."""

import os
import signal
from typing import Callable

import grpc
import pytest

from lab.clients import Client
from lab.cri import IMAGE, PAUSE, Cri
from lab.daemon import Daemon
from lab.invariants import assert_exactly_once
from lab.recorder import Recorder, state
from lab.waiting import Deadline, wait_for_exit

CONTAINER = "org.shorewatch1.Container"


def test_a_pod_and_its_containers_are_told_with_what_kubernetes_knows_of_them(
        cri: Cri, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"cri": cri})
    pod = cri.run_pod("db-0", "prod", {"app": "db"}, {"note": "of the pod"})
    sandbox = recorder.wait_for("ContainerStarted", "db-0")
    assert sandbox.id == pod
    web = cri.run_in(pod, "postgres", labels={"tier": "back"}, annotations={"hash": "abc"})
    started = recorder.wait_for("ContainerStarted", "postgres")
    assert started.id == web
    assert started.details["PID"] == cri.pid_of(web)
    assert started.details["Image"] == IMAGE
    assert started.details["Labels"] == {
        "tier": "back", "annotation.k8s/hash": "abc", "io.kubernetes.container.name": "postgres",
        "io.kubernetes.pod.name": "db-0", "io.kubernetes.pod.namespace": "prod",
        "io.kubernetes.pod.uid": "uid-of-db-0"}
    assert sandbox.details["Labels"] == {
        "app": "db", "annotation.k8s/note": "of the pod", "io.kubernetes.pod.name": "db-0",
        "io.kubernetes.pod.namespace": "prod", "io.kubernetes.pod.uid": "uid-of-db-0"}

    for signal_, is_sandbox in ((started, False), (sandbox, True)):
        properties = client.properties(signal_.object, CONTAINER)
        assert (properties["Pod"], properties["PodId"], properties["Namespace"]) == ("db-0", "uid-of-db-0", "prod")
        assert properties["Sandbox"] is is_sandbox

    cri.exec_in(web, "true")
    cri.stop_container(web)
    assert recorder.wait_for("ContainerExited", "postgres").details["ExitCode"] == 137
    cri.stop_pod(pod)
    recorder.wait_for("ContainerExited", "db-0")
    runs = assert_exactly_once(recorder.signals.all(), after=client.list())
    assert {id_: len(of_one) for id_, of_one in runs.items()} == {pod: 1, web: 1}


def test_pods_that_were_there_before_the_daemon_are_complete_when_it_is_ready(
        cri: Cri, start_daemon: Callable[..., Daemon], client: Client) -> None:
    pod = cri.run_pod("db-0", "prod")
    web = cri.run_in(pod, "postgres", annotations={"hash": "abc"})
    over = cri.run_in(pod, "init", "true")
    cri.run_in(pod, "odd", annotations={"note": os.fsdecode(b"a,b")})
    start_daemon({"cri": cri})
    listed = client.list().by_id()
    assert over not in listed
    assert {container["Name"] for container in listed.values()} == {"db-0", "postgres", "odd"}
    assert listed[web]["PID"] == cri.pid_of(web)
    assert listed[web]["Labels"]["annotation.k8s/hash"] == "abc"
    assert (listed[web]["Pod"], listed[web]["Sandbox"]) == ("db-0", False)
    assert (listed[pod]["PID"], listed[pod]["Sandbox"]) == (cri.pid_of(pod), True)
    engine = client.engines()["cri"]
    assert (engine["Type"], engine["PID"]) == ("k8s.io/cri-api", cri.process.pid)
    assert engine["Id"] and engine["Version"]


def test_short_lived_containers_of_a_pod_are_each_told_as_started_and_exited(
        cri: Cri, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"cri": cri})
    pod = cri.run_pod("jobs")
    ids = {cri.run_in(pod, f"job-{number}", "sh", "-c", f"exit {number}") for number in range(10)}
    recorder.signals.wait_until(
        lambda all_: sum(signal_.member == "ContainerExited" for signal_ in all_) >= 10, 30, "10 exits")
    runs = assert_exactly_once(recorder.signals.all(), after=client.list())
    assert set(runs) == ids | {pod}
    assert all(len(of_one) == 1 for of_one in runs.values())
    assert sorted(runs[id_][0].exited.details["ExitCode"] for id_ in ids) == list(range(10))


def test_a_kubelet_gets_every_event_beside_the_daemon(
        cri: Cri, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    """containerd gives an event to one reader alone, whoever asks first."""
    start_daemon({"cri": cri})
    pod = cri.run_pod("jobs")
    ids = {cri.run_in(pod, f"job-{number}", "true") for number in range(10)}
    recorder.signals.wait_until(
        lambda all_: sum(signal_.member == "ContainerExited" for signal_ in all_) >= 10, 30, "10 exits")
    missing = {(id_, what) for id_ in ids | {pod} for what in ("created", "started")} | {(id_, "stopped") for id_ in ids}
    try:
        for event in cri.events():
            missing.discard(event)
            if not missing:
                return
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.UNIMPLEMENTED:
            pytest.skip("containerd tells kubelets of events from 1.7 on")
        assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED, error
    raise AssertionError(f"taken from the kubelet: {missing}")


def test_pods_live_on_while_containerd_is_dead_and_what_dies_meanwhile_is_told_once(
        cri: Cri, start_daemon: Callable[..., Daemon], client: Client, recorder: Recorder) -> None:
    start_daemon({"cri": cri})
    pod = cri.run_pod("db-0")
    ids = {name: cri.run_in(pod, name) for name in ("survivor", "victim")}
    for name in ids:
        recorder.wait_for("ContainerStarted", name)
    victim = cri.pid_of(ids["victim"])
    mark = len(recorder.signals)
    cri.kill9()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("lost"))
    os.kill(victim, signal.SIGKILL)
    wait_for_exit(victim, Deadline(10, "the end of the victim"))
    cri.start()
    recorder.wait_for("EngineStateChanged", after=mark, where=state("watching"), seconds=30)
    recorder.wait_for("ContainerExited", "victim", seconds=15)
    assert recorder.of("survivor") == recorder.of("db-0") == ["Started"]
    runs = assert_exactly_once(recorder.signals.all(), after=client.list())
    assert {len(of_one) for of_one in runs.values()} == {1}


def test_the_pause_image_is_what_a_sandbox_runs(
        cri: Cri, start_daemon: Callable[..., Daemon], client: Client) -> None:
    cri.run_pod("empty")
    start_daemon({"cri": cri})
    assert client.list().by_name()["empty"]["Image"] == PAUSE
