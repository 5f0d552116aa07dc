"""The documents that simulators print: real PDF files, so that what reads them really reads."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from fpdf import FPDF

PRINTED: Final = datetime(2025, 1, 1, tzinfo=UTC)
"""The date of every document: the same text always gives the same bytes."""


@lru_cache(maxsize=2048)
def print_pdf(*pages: str) -> bytes:
    """A PDF with one page for each text."""
    pdf = FPDF()
    pdf.set_creation_date(PRINTED)
    pdf.set_font("Helvetica", size=11)
    for page in pages:
        pdf.add_page()
        pdf.multi_cell(0, 7, page, align="L")
    return bytes(pdf.output())
