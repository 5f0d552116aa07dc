"""Whether a certificate of tax compliance is one: a refusal is also a PDF, told apart by a sentence on its first page.

Source: the PDF files delivered by Adélie. Work is bounded. A damaged file isn't a refusal; a file that we gave up reading
is neither, and can't be called a certificate.
"""

import unicodedata
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from time import monotonic
from typing import Any, Final

from pypdf import Configuration, PdfReader, apply_configuration
from pypdf.errors import LimitReachedError

REFUSAL: Final = "Impossible de délivrer votre attestation de régularité fiscale"
MAX_READ_TIME: Final = timedelta(seconds=2)

_BOUNDS: Final = Configuration().with_overwrites(
    maximum_declared_stream_length=15_000_000,
    array_based_stream_maximum_output_length=5_000_000,
    zlib_maximum_output_length=5_000_000,
    zlib_maximum_recovery_input_length=100_000,
    lzw_maximum_output_length=5_000_000,
    run_length_maximum_output_length=5_000_000,
    brotli_maximum_output_length=5_000_000,
    stream_decoding_work_maximum_length=20_000_000,
    stream_parsing_work_maximum_count=50_000,
    array_maximum_element_count=20_000,
    dictionary_maximum_element_count=20_000,
    page_tree_maximum_entries=500,
    page_tree_maximum_page_entries=5_000,
    xform_maximum_invocations_per_extraction=50,
)


class NotRead(Exception):
    """The file is larger or slower to read than any certificate: nothing can be said of it."""


def is_refusal(content: bytes) -> bool:
    """Whether the first page says so. Raises `NotRead` when reading was given up."""
    try:
        with apply_configuration(_BOUNDS):
            page = PdfReader(BytesIO(content)).pages[0]
            text = page.extract_text(visitor_operand_before=_deadline())
    except (LimitReachedError, TimeoutError) as error:
        raise NotRead from error
    # pypdf raises nearly anything on a damaged file, down to RecursionError: none of it is a refusal.
    except Exception:  # noqa: BLE001
        return False
    return REFUSAL.casefold() in " ".join(unicodedata.normalize("NFC", text).split()).casefold()


def _deadline() -> Callable[..., None]:
    """Called by pypdf before each drawing operation: the only place where a long page can be stopped."""
    end = monotonic() + MAX_READ_TIME.total_seconds()

    def on_time(*_operation: Any) -> None:
        if monotonic() > end:
            raise TimeoutError

    return on_time
