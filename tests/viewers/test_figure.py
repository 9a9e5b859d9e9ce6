"""Figures: sizes in the files, themes, fonts, transparency, title, printing."""

import re
from itertools import pairwise

import numpy as np
import pytest
from astropy.table import QTable
from PySide6.QtCore import QMarginsF
from PySide6.QtGui import QColor, QImage, QPageLayout, QPageSize
from PySide6.QtPrintSupport import QPrinter

from jviz.conversion.taken import take_profile
from jviz.data import from_product
from jviz.errors import JvizError
from jviz.viewers.figure import Sheet, figure_image, print_figure


@pytest.fixture
def view(session, ramp, qapp):
    values = ramp.copy()
    values[:5] = np.nan
    view = session.view("image", data=session.add(values, name="ramp"), colorbar=False, compass=False, scale_bar=False)
    view.viewport = (600.0, 400.0)
    return view


def test_png_has_the_size_and_the_resolution(session, view, tmp_path):
    path = session.run("view.export_figure", view=view, path=tmp_path / "a.png", width=8.5, height=6, dpi=300)
    image = QImage(str(path))
    assert (image.width(), image.height()) == (round(8.5 / 2.54 * 300), round(6 / 2.54 * 300))
    assert abs(image.dotsPerMeterX() * 0.0254 - 300) < 0.02
    path = session.run("view.export_figure", view=view, path=tmp_path / "b.png", width=3, unit="in", dpi=100)
    image = QImage(str(path))
    assert (image.width(), image.height()) == (300, 200)  # the proportions of the viewer


def test_pdf_page_is_as_large_as_asked(session, view, tmp_path):
    path = session.run("view.export_figure", view=view, path=tmp_path / "a.pdf", width=17.8, height=9.3, title="Field")
    content = path.read_bytes()
    width, height = map(float, re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content).groups())
    assert abs(width - 17.8 / 2.54 * 72) < 0.6
    assert abs(height - 9.3 / 2.54 * 72) < 0.6
    assert b"/Font" in content  # text stays text


def test_svg_has_its_size_in_millimetres_and_lines_as_lines(session, view, tmp_path):
    view.axes = "pixel"
    path = session.run("view.export_figure", view=view, path=tmp_path / "a.svg", width=16, height=10, title="Ramp & co")
    text = path.read_text("utf-8")
    assert abs(float(re.search(r'width="([\d.]+)mm"', text)[1]) - 160) < 0.1
    assert abs(float(re.search(r'height="([\d.]+)mm"', text)[1]) - 100) < 0.1
    assert "Ramp &amp; co" in text
    assert text.count("<image") == 1
    assert text.count("<polyline") >= 4  # the frame and its ticks
    assert "<text" in text


def corner(image):
    return image.pixelColor(2, 2)


def test_themes_and_transparency(session, view):
    view.axes = "pixel"
    assert corner(figure_image(session, view, Sheet(5, 4, 96))) == QColor("#ffffff")
    assert corner(figure_image(session, view, Sheet(5, 4, 96, "dark"))).lightness() < 40
    clear = figure_image(session, view, Sheet(5, 4, 96, transparent=True))
    assert corner(clear).alpha() == 0
    alpha = np.array([[clear.pixelColor(x, y).alpha() for x in range(60, 460, 20)] for y in range(30, 330, 20)])
    assert {0, 255} <= set(alpha.ravel().tolist())  # NaN and what is beside the image, and the image
    solid = figure_image(session, view, Sheet(5, 4, 96))
    x, y = 270, 150
    assert clear.pixelColor(x, y) == solid.pixelColor(x, y)
    assert clear.pixelColor(x, y).alpha() == 255


def dark_rows(image):
    found = [
        y
        for y in range(image.height())
        if any(image.pixelColor(x, y).lightness() < 90 for x in range(0, image.width(), 2))
    ]
    return found


def test_title_and_font_size(session, view):
    plain, titled = (figure_image(session, view, Sheet(6, 4, 96, title=title)) for title in ("", "A title"))
    assert min(dark_rows(titled)) < 20
    heights = []
    for font in (1.0, 2.0):
        image = figure_image(session, view, Sheet(6, 4, 96, font=font, title="Hxh"))
        rows = dark_rows(image)
        first = next(n for n, (a, b) in enumerate(pairwise(rows)) if b != a + 1)
        heights.append(first)
    assert 1.6 < heights[1] / heights[0] < 2.4
    assert plain.size() == titled.size()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"path": "x.jpg"}, "png, .pdf or .svg"),
        ({"path": "x.png", "width": -3.0}, "above 0"),
        ({"path": "x.png", "width": 5000.0, "height": 5000.0}, "million"),
        ({"path": "x.png", "font": 40.0}, "between"),
        ({"path": "x.png", "height": 0.5, "title": "t"}, "no room"),
    ],
)
def test_what_makes_no_sense_is_said(session, view, tmp_path, values, text):
    (tmp_path / "x.png").write_bytes(b"before")
    with pytest.raises(JvizError, match=text):
        session.run("view.export_figure", view=view, **{**values, "path": tmp_path / values["path"]})
    assert (tmp_path / "x.png").read_bytes() == b"before"


def test_printing_fills_the_page(session, view, tmp_path):
    printer = QPrinter(QPrinter.PrinterMode.ScreenResolution)
    printer.setOutputFormat(QPrinter.OutputFormat.PdfFormat)
    printer.setOutputFileName(str(tmp_path / "page.pdf"))
    printer.setPageSize(QPageSize(QPageSize.PageSizeId.A5))
    printer.setPageMargins(QMarginsF(10, 10, 10, 10), QPageLayout.Unit.Millimeter)
    print_figure(session, view, printer)
    content = (tmp_path / "page.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    width = float(re.search(rb"/MediaBox \[0 0 ([\d.]+)", content)[1])
    assert abs(width - 148 / 25.4 * 72) < 1


def test_script_repeats_a_figure(session, view, tmp_path):
    session.run("view.export_figure", view=view, path=tmp_path / "a.png", width=5.0, dpi=100.0, theme="dark")
    before = (tmp_path / "a.png").read_bytes()
    (tmp_path / "a.png").unlink()
    line = next(line for line in session.script().splitlines() if "export_figure" in line)
    exec(line, {"session": session})
    assert (tmp_path / "a.png").read_bytes() == before


def test_other_viewers_have_figures_too(session, qapp, tmp_path):
    x = np.linspace(0, 10, 200)
    table = QTable({"x": x, "y": np.sin(x)}, meta={"x": "x", "y": "y"})
    session.add(from_product(take_profile(table, "curve", "test")))
    view = session.view("profile", data="curve")
    for theme, lightness in (("light", 255), ("dark", 23)):
        path = session.run(
            "view.export_figure", view=view, path=tmp_path / f"{theme}.png", width=8, height=6, theme=theme
        )
        image = QImage(str(path))
        assert (image.width(), image.height()) == (945, 709)
        assert abs(corner(image).lightness() - lightness) < 12
    assert corner(figure_image(session, view, Sheet(4, 3, 96, transparent=True))).alpha() == 0
