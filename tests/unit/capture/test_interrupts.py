"""Signals of our own while a target is frozen."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import pytest

from goretain.capture.frozen.interrupts import DeferredSignals, Interrupted, RememberedInterrupt


def test_a_signal_is_put_off_until_the_context_ends_and_then_raised() -> None:
    reached: list[str] = []

    def work() -> None:
        with DeferredSignals() as signals:
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("after the signal")
            with pytest.raises(Interrupted):
                signals.check()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["after the signal"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_signals_that_do_not_end_programs_do_not_interrupt_the_copy() -> None:
    arrived: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    before = signal.signal(signal.SIGUSR2, note)
    try:
        with DeferredSignals() as signals:
            os.kill(os.getpid(), signal.SIGUSR2)
            signals.check()
            assert arrived == []
        assert arrived == [signal.SIGUSR2]
    finally:
        signal.signal(signal.SIGUSR2, before)


def test_a_worker_thread_leaves_signal_handlers_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    def work() -> None:
        with DeferredSignals() as signals:
            signals.check()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_that_was_lost_in_a_finalizer_is_remembered() -> None:
    class Finalized:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    with RememberedInterrupt() as interrupt:
        interrupt.check()
        Finalized()
        with pytest.raises(KeyboardInterrupt):
            interrupt.check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
