"""The style sheet of the parts of the window, on top of Qt's Fusion style."""

from __future__ import annotations

from typing import Any

__all__ = ["FRAME", "style_sheet"]

FRAME = """
QMainWindow::separator { background: palette(mid); width: 4px; height: 4px; }
QMainWindow::separator:hover { background: palette(accent); }
"""
"""What the main window itself wears; its colours follow the palette."""

SHEET = """
QDialog {{ background: {window}; }}
QSplitter::handle:hover {{ background: {accent}; }}
QSplitter::handle {{ background: {line}; }}
QToolTip {{ background: {raised}; color: {text}; border: 1px solid {edge}; padding: 4px 6px;
    qproperty-textFormat: PlainText; }}
QToolBar QToolTip, QMenu[commands="true"] QToolTip {{ qproperty-textFormat: RichText; }}

QMenuBar {{ background: {window}; padding: 2px 4px; spacing: 1px; }}
QMenuBar::item {{ padding: 4px 6px; border-radius: 4px; background: transparent; }}
QMenuBar::item:selected {{ background: {hover}; }}
QMenu {{ background: {menu}; border: 1px solid {edge_soft}; padding: 5px; }}
QMenu::item {{ padding: 5px 28px 5px 8px; border-radius: 4px; }}
QMenu::item:selected {{ background: {selection}; color: {text}; }}
QMenu::item:disabled {{ color: {disabled}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {edge_soft}; margin: 5px 6px; }}
QMenu::icon {{ padding-left: 6px; }}

QToolBar {{ background: {window}; border: none; border-bottom: 1px solid {line}; padding: 3px 6px; spacing: 2px; }}
QToolBar::separator {{ background: {edge_soft}; width: 1px; margin: 5px 6px; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 5px; padding: 4px; }}
QToolButton:hover {{ background: {hover}; }}
QToolButton:pressed, QToolButton:checked {{ background: {selection}; }}
QToolButton:focus {{ border-color: {accent}; }}
#qt_menubar_ext_button {{ padding: 0; qproperty-icon: url({icons}/chevron-{shade}.svg); }}
QToolButton#commandSearch {{ background: {base}; border: 1px solid {edge_soft}; color: {muted}; padding: 4px 10px; }}
QToolButton#commandSearch:hover {{ border-color: {accent}; color: {text}; }}

QToolBar#toolStrip {{ border-bottom: none; border-right: 1px solid {line}; padding: 4px 3px; }}
QToolBar#toolStrip QToolButton::menu-indicator {{ image: none; }}

QStatusBar {{ background: {window}; border-top: 1px solid {line}; }}
QStatusBar::item {{ border: none; }}
QStatusBar QLabel {{ padding: 0 6px; }}
QLabel[muted="true"] {{ color: {muted}; }}

QDockWidget {{ titlebar-close-icon: url({icons}/dock-close-{shade}.svg);
    titlebar-normal-icon: url({icons}/float-{shade}.svg); }}
QDockWidget::close-button, QDockWidget::float-button {{ border: none; padding: 1px; border-radius: 4px; }}
QDockWidget::close-button:hover, QDockWidget::float-button:hover {{ background: {hover}; }}
QDockWidget {{ color: {muted}; font-weight: 600; }}
QDockWidget::title {{ background: {window}; padding: 6px 8px; border-bottom: 1px solid {line}; text-align: left; }}
QDockWidget > QWidget {{ background: {base}; }}
QTabWidget::pane {{ border: none; }}
QTabBar {{ background: {window}; }}
QTabBar::tab {{ background: {window}; color: {muted}; border: none; border-top: 2px solid transparent;
    border-right: 1px solid {line}; padding: 5px 12px 6px 12px; min-width: 40px; }}
QTabBar::tab:hover {{ color: {text}; background: {hover}; }}
QTabBar::tab:selected {{ background: {base}; color: {text}; border-top-color: {edge_soft}; }}
QTabBar:focus::tab:selected {{ color: {accent}; }}
QTabBar::close-button {{ image: url({icons}/close-{shade}.svg); subcontrol-position: right; margin: 2px; }}
QTabBar::close-button:hover {{ background: {hover}; border-radius: 4px; }}
TabGroup[active="true"] > QTabBar::tab:selected {{ border-top-color: {accent}; }}

QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox {{ background: {base}; color: {text};
    border: 1px solid {edge_soft}; border-radius: 5px; padding: 4px 6px; selection-background-color: {selection};
    selection-color: {text}; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QAbstractSpinBox:focus, QComboBox:focus
    {{ border-color: {accent}; }}
QLineEdit[wrong="true"], QComboBox[wrong="true"] {{ border-color: {error}; }}
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled {{ color: {disabled}; }}
QComboBox {{ padding: 3px 8px; background: {raised}; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url({icons}/chevron-{shade}.svg); width: 10px; height: 10px; }}
QAbstractSpinBox {{ padding: 2px 18px 2px 8px; }}
QAbstractSpinBox QLineEdit {{ border: none; border-radius: 0; background: transparent; padding: 1px 2px; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ subcontrol-origin: border; width: 18px; border: none;
    background: transparent; }}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; }}
QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; }}
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover {{ background: {hover}; }}
QAbstractSpinBox::up-arrow {{ image: url({icons}/up-{shade}.svg); width: 8px; height: 8px; }}
QAbstractSpinBox::down-arrow {{ image: url({icons}/chevron-{shade}.svg); width: 8px; height: 8px; }}
QComboBox QAbstractItemView {{ background: {menu}; border: 1px solid {edge_soft};
    selection-background-color: {selection}; selection-color: {text}; padding: 3px; }}

QCheckBox {{ spacing: 8px; padding: 2px 0; }}
QCheckBox::indicator, QTreeView::indicator, QListView::indicator, QMenu::indicator:non-exclusive {{ width: 13px;
    height: 13px; border: 1px solid {edge}; border-radius: 3px; background: {base}; }}
QCheckBox::indicator:focus, QCheckBox::indicator:hover {{ border-color: {accent}; }}
QCheckBox::indicator:checked, QTreeView::indicator:checked, QListView::indicator:checked,
    QMenu::indicator:non-exclusive:checked {{ background: {accent}; border-color: {accent};
    image: url({icons}/check-{shade}.svg); }}
QMenu::indicator:non-exclusive {{ margin-left: 6px; }}

QPushButton {{ background: {raised}; color: {text}; border: 1px solid {edge_soft}; border-radius: 5px;
    padding: 5px 14px; }}
QPushButton:hover {{ background: {hover}; }}
QPushButton:focus {{ border-color: {accent}; }}
QPushButton:disabled {{ color: {disabled}; }}
QPushButton:default {{ background: {accent}; color: {on_accent}; border-color: {accent}; }}
QPushButton:default:focus {{ border-color: {text}; }}
QPushButton:default:disabled {{ background: {raised}; color: {disabled}; border-color: {edge_soft}; }}
QPushButton:flat {{ background: transparent; border-color: transparent; }}

QAbstractItemView {{ background: {base}; alternate-background-color: {window}; border: none; outline: none; }}
QTreeView::item, QListView::item {{ padding: 3px 2px; }}
QTreeView::item:hover, QListView::item:hover, QTableView::item:hover {{ background: {hover}; }}
QTreeView::item:selected, QListView::item:selected, QTableView::item:selected
    {{ background: {selection}; color: {text}; }}
QHeaderView {{ background: {window}; }}
QHeaderView::section {{ background: {window}; color: {muted}; border: none; border-bottom: 1px solid {line};
    padding: 4px 6px; }}
QScrollArea {{ border: none; background: transparent; }}
QScrollBar {{ background: transparent; border: none; margin: 0; }}
QScrollBar:vertical {{ width: 11px; }}
QScrollBar:horizontal {{ height: 11px; }}
QScrollBar::handle {{ background: {edge_soft}; border-radius: 4px; margin: 2px; min-height: 28px; min-width: 28px; }}
QScrollBar::handle:hover {{ background: {edge}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QProgressBar {{ background: {base}; border: none; border-radius: 3px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 3px; }}

QFrame#card {{ background: {menu}; border: 1px solid {edge_soft}; border-radius: 8px; }}
QFrame#rule {{ background: {edge_soft}; max-height: 1px; border: none; }}
QFrame#toast {{ background: {menu}; border: 1px solid {edge_soft}; border-radius: 8px; }}
QWidget#manual QTextBrowser {{ border: none; border-top: 1px solid {line}; border-radius: 0; }}
QLabel#error {{ color: {error}; }}
QLabel#title {{ font-size: {title_size}pt; font-weight: 600; }}
QLineEdit#paletteSearch {{ border: none; border-radius: 0; background: transparent; padding: 6px;
    font-size: {larger}pt; }}
QLineEdit#code {{ background: {base}; color: {muted}; }}
"""


def style_sheet(colours: Any) -> str:
    """Return the style sheet in these colours."""
    from PySide6.QtGui import QColor
    from PySide6.QtWidgets import QApplication

    size = QApplication.font().pointSizeF()
    window, edge = QColor(colours.window).getRgbF()[:3], QColor(colours.edge).getRgbF()[:3]
    soft = QColor.fromRgbF(*(0.62 * w + 0.38 * e for w, e in zip(window, edge, strict=True)))
    menu = colours.base if not colours.dark else "#23272f"
    names = {name: getattr(colours, name) for name in colours.__dataclass_fields__}
    return SHEET.format(
        **names, edge_soft=soft.name(), menu=menu, larger=round(size * 1.25, 1), title_size=round(size * 1.7, 1),
        icons=_icons(), shade="dark" if colours.dark else "light",
    )  # fmt: skip


def _icons() -> str:
    from jviz.resources import resource

    return resource("icons/close-dark.svg").parent.as_posix()
