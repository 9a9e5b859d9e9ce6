"""Asking before the window goes."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QMessageBox

__all__ = ["may_close"]


def may_close(window: Any) -> bool:
    """Ask when jobs run (setting ``window.confirm_close``); True when the window may close."""
    running = window.session.jobs.running
    if not running or not window.session.settings["window.confirm_close"]:
        return True
    return _asked(window, running)


def _asked(window: Any, running: list[Any]) -> bool:
    box = QMessageBox(window)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close jviz?")
    count = "A job is running" if len(running) == 1 else f"{len(running)} jobs are running"
    box.setText(f"{count}. Close the window and cancel?")
    box.setInformativeText("\n".join(f"• {job.title}" for job in running[:5]))
    close = box.addButton("Cancel Jobs and Close", QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton("Keep Working", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    agreed = box.clickedButton() is close
    box.deleteLater()
    return agreed
