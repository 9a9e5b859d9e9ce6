"""Menu bar and tool bar, made from the declared commands and panels."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QAction, QIcon, QKeySequence, QPixmap
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from jviz.commands import Command
from jviz.window.invoke import is_toggle
from jviz.window.programs import fill_send_to
from jviz.window.shortcuts import is_plain, shown_keys

__all__ = ["Menus"]

TOP = ("File", "Edit", "View", "Image", "Spectrum", "Regions", "Data", "Panels", "Window", "Help")
"""Order of the menus; others stand before Panels."""

FIRST_GROUPS = ("open", "history", "palette", "views")
"""Groups that stand at the beginning of their menu, in this order."""

LAST_GROUPS = ("settings", "quit", "about")
"""Groups that come at the end of their menu."""

TOOL_BAR = (
    ("file.open_dialog", "file.save_session", "view.save"),
    ("edit.undo", "edit.redo"),
    ("image.fit", "image.one_to_one", "image.zoom_in", "image.zoom_out", "image.go_to"),
    ("image.north_up", "image.rotate_left", "image.invert", "image.grid"),
    ("view.split_right", "view.split_down"),
)
ICON_SIZE = 18


class Menus(QObject):
    """Keeps one action for every command and shows them in menus and tool bar.

    Parameters
    ----------
    window : MainWindow
        With ``invoker``, ``shortcuts``, ``docks``, ``central``.
    """

    def __init__(self, window: Any) -> None:
        super().__init__(window)
        self._window = window
        self._icon: Any = None
        self.actions: dict[str, QAction] = {}
        self._toggles: list[tuple[QAction, Command]] = []
        self._possible: dict[str, bool] = {}
        self._menus: dict[str, QMenu] = {}
        self.tool_bar = _tool_bar(window)
        self.build()
        window.session.settings.changed.connect(self._setting_changed)
        window.context.active_changed.connect(self.refresh)
        window.session.data_changed.connect(self.refresh)
        window.session.history_changed.connect(self.refresh_undo)

    # --- building -------------------------------------------------------------------------------

    @property
    def is_outdated(self) -> bool:
        """Whether commands were declared or taken away since the menus were made."""
        return self._commands != self._window.invoker.visible_commands()

    def build(self) -> None:
        """Make everything anew from the commands that there are now."""
        self._window.menuBar().clear()
        for menu in self._menus.values():
            menu.deleteLater()
        self._menus = {}
        commands = self._commands = self._window.invoker.visible_commands()
        for id in [id for id in self.actions if id not in commands]:
            self.actions.pop(id).deleteLater()
        for command in commands.values():
            if command.id not in self.actions:
                self.actions[command.id] = self._action(command)
        self._toggles = [(self.actions[id], c) for id, c in commands.items() if self.actions[id].isCheckable()]
        self._possible = {}
        self._fill_menu_bar(commands.values())
        self._fill_tool_bar()
        self.apply_shortcuts()
        self.refresh()
        if self._icon is not None:
            self.show_icons(self._icon)

    def _action(self, command: Command) -> QAction:
        action = QAction(command.title, self._window)
        action.setObjectName(command.id)
        action.setCheckable(is_toggle(command))
        action.setIconVisibleInMenu(not action.isCheckable())  # the tick stands in its place
        action.setMenuRole(_role(command.id))
        action.setStatusTip(command.summary)
        if command.icon:
            action.setIcon(blank_icon())
        action.triggered.connect(partial(self._triggered, command.id))
        return action

    def _triggered(self, id: str, *_: Any) -> None:
        self._window.invoker.trigger(id)
        self.refresh()

    def _fill_menu_bar(self, commands: Iterable[Command]) -> None:
        listed = [c for c in commands if c.menu]
        tops = {c.menu.split("/")[0]: None for c in listed}
        others = [top for top in tops if top not in TOP]
        order = [*TOP[:6], *others, *TOP[6:]]
        for top in order:
            self._menu(top)
        for command in sorted(listed, key=_rank):
            self._add_to_menu(command)
        self._window.docks.fill_menu(self._menus["Panels"])
        self._special_menus()
        for menu in self._menus.values():
            menu.aboutToShow.connect(self.refresh)

    def _add_to_menu(self, command: Command) -> None:
        menu, action = self._menu(command.menu), self.actions[command.id]
        same = [a for a in menu.actions() if a.property("group") == command.group]
        action.setProperty("group", command.group)
        if same:
            after = menu.actions().index(same[-1]) + 1
            menu.insertAction(menu.actions()[after] if after < len(menu.actions()) else None, action)
            return
        if menu.actions():
            menu.addSeparator()
        menu.addAction(action)

    def _menu(self, path: str) -> QMenu:
        """Return the menu of a path such as ``"View/Zoom"``, making what is missing."""
        if path not in self._menus:
            above, _, name = path.rpartition("/")
            menu = QMenu(name if above else _with_mnemonic(name), self._window)
            menu.setAccessibleName(name)
            menu.setToolTipsVisible(True)
            menu.setProperty("commands", True)  # whose tool tips have a title in bold; see the style sheet
            (self._menu(above) if above else self._window.menuBar()).addMenu(menu)
            self._menus[path] = menu
        return self._menus[path]

    def _special_menus(self) -> None:
        """Menus whose entries are no commands: recent files, other programs, saved layouts."""
        recent = QMenu("Open &Recent", self._window)
        recent.setAccessibleName("Open Recent")
        recent.aboutToShow.connect(lambda: self._window.recent.fill_menu(recent))
        opening = [a for a in self._menus["File"].actions() if a.property("group") == "open"]
        after = self._menus["File"].actions().index(opening[-1]) + 1 if opening else 0
        actions = self._menus["File"].actions()
        self._menus["File"].insertMenu(actions[after] if after < len(actions) else None, recent)
        self._menus["File/Recent"] = recent
        programs = self._menu("Interop/Send To")
        programs.setProperty("commands", False)  # what programs call themselves is plain text
        programs.aboutToShow.connect(lambda: fill_send_to(self._window, programs))
        layouts = self._menu("Window/Layouts")
        layouts.aboutToShow.connect(lambda: self._window.layouts.fill_menu(layouts))

    def _fill_tool_bar(self) -> None:
        self.tool_bar.clear()
        for number, group in enumerate(TOOL_BAR):
            if number:
                self.tool_bar.addSeparator()
            for id in group:
                if id in self.actions:
                    self.tool_bar.addAction(self.actions[id])
                    self.tool_bar.widgetForAction(self.actions[id]).setAccessibleName(
                        self.actions[id].text().rstrip("…")
                    )
        gap = QWidget()
        gap.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.tool_bar.addWidget(gap)
        self.tool_bar.addWidget(self._search_button())

    def _search_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("commandSearch")
        keys = shown_keys(self._window.shortcuts.effective().get("window.palette", []))
        button.setText(f"Search commands and data   {keys}")
        button.setAccessibleName("Search commands and data")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self._window.invoker.trigger("window.palette"))
        return button

    # --- keeping up -----------------------------------------------------------------------------

    def apply_shortcuts(self) -> None:
        """Give every action its keys; plain letters act only while the focus is in the viewers."""
        effective = self._window.shortcuts.effective()
        for id, action in self.actions.items():
            keys = effective.get(id, [])
            action.setShortcuts([QKeySequence(k) for k in keys])
            plain = bool(keys) and is_plain(keys[0])
            context = Qt.ShortcutContext.WidgetWithChildrenShortcut if plain else Qt.ShortcutContext.WindowShortcut
            action.setShortcutContext(context)
            self._window.removeAction(action)
            self._window.central.removeAction(action)
            (self._window.central if plain else self._window).addAction(action)
            action.setToolTip(_tool_tip(action.text(), keys, action.statusTip()))
        self._window.docks.apply_shortcuts(effective)

    def refresh(self, *_: Any) -> None:
        """Enable what can be done now, and tick what is on."""
        invoker = self._window.invoker
        # By what is needed: a handful, where there are hundreds of commands.
        examples = {command.needs: command for command in self._commands.values()}
        possible = {needs: invoker.is_possible(command) for needs, command in examples.items()}
        if possible != self._possible:
            self._possible = possible
            for id, command in self._commands.items():
                self.actions[id].setEnabled(possible[command.needs])
        for action, command in self._toggles:
            action.setChecked(invoker.is_on(command))
        self.refresh_undo()

    def refresh_undo(self) -> None:
        """Say in the menu what would be undone and redone."""
        history = self._window.session._history  # not flushed: a drag may be under way
        done = [e for e in history.entries[: history.position] if e.changes]
        undone = [e for e in history.entries[history.position :] if e.changes]
        for id, title, entry in (
            ("edit.undo", "Undo", done[-1] if done else None), ("edit.redo", "Redo", undone[0] if undone else None)
        ):  # fmt: skip
            if id in self.actions:
                self.actions[id].setText(f"{title} {entry.label}" if entry is not None else title)
                self.actions[id].setEnabled(entry is not None)

    def show_icons(self, icon: Any) -> None:
        """Give actions their icons; ``icon(name)`` makes one."""
        self._icon = icon
        for id, command in self._window.invoker.visible_commands().items():
            if command.icon and id in self.actions:
                self.actions[id].setIcon(icon(command.icon))

    def _setting_changed(self, key: str) -> None:
        if key == "window.shortcuts":
            self.apply_shortcuts()


def _tool_bar(window: Any) -> QToolBar:
    bar = QToolBar("Tool Bar", window)
    bar.setObjectName("toolBar")
    bar.setAccessibleName("Tool bar")
    bar.setMovable(False)
    bar.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    window.addToolBar(bar)
    return bar


def _rank(command: Command) -> int:
    """Say which group of a menu comes first; those not named stand in between, in the order of declaration."""
    if command.group in FIRST_GROUPS:
        return FIRST_GROUPS.index(command.group) - len(FIRST_GROUPS)
    return 1 + LAST_GROUPS.index(command.group) if command.group in LAST_GROUPS else 0


def blank_icon() -> QIcon:
    """Return an icon that shows nothing, so that a tool bar has its size before the icons come."""
    pixmap = QPixmap(ICON_SIZE, ICON_SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    return QIcon(pixmap)


def _tool_tip(text: str, keys: list[str], summary: str) -> str:
    shown = f"  ({shown_keys(keys)})" if keys else ""
    return f"<b>{text.rstrip('…')}</b>{shown}<br>{summary}"


def _with_mnemonic(name: str) -> str:
    """Mark the letter that opens a menu with Alt."""
    letters = {"File": "&File", "Edit": "&Edit", "View": "&View", "Image": "&Image", "Regions": "&Regions",
               "Spectrum": "&Spectrum", "Data": "&Data", "Panels": "&Panels", "Window": "&Window",
               "Help": "&Help"}  # fmt: skip
    return letters.get(name, name)


def _role(id: str) -> QAction.MenuRole:
    """Say where macOS puts an entry; without it Qt guesses by words."""
    return {
        "file.quit": QAction.MenuRole.QuitRole,
        "help.about": QAction.MenuRole.AboutRole,
        "window.preferences": QAction.MenuRole.PreferencesRole,
    }.get(id, QAction.MenuRole.NoRole)
