"""Money is an integer of minor units plus an ISO 4217 code; floats never appear."""

import re
from decimal import Decimal, InvalidOperation

MAX_AMOUNT = 100_000_000_00  # a hundred million of a two-digit currency: beyond it is a typing error
NO_MINOR_UNITS = frozenset({"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV",
                            "XAF", "XOF", "XPF"})  # fmt: skip
THREE_DIGITS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
PLAIN_DECIMAL = re.compile(r"\d{1,12}(\.\d{1,4})?")


def digits(currency: str) -> int:
    """How many digits follow the decimal point in `currency` (ISO 4217 table A.1)."""
    return 0 if currency in NO_MINOR_UNITS else 3 if currency in THREE_DIGITS else 2


def parse_amount(text: str, currency: str) -> int:
    """Read a written price such as `19.90` as minor units; `ValueError` says what is wrong with it."""
    cleaned = text.strip()
    if not PLAIN_DECIMAL.fullmatch(cleaned):
        raise ValueError(f"'{text}' is not a price: write it like 19.90")
    try:
        minor = Decimal(cleaned).scaleb(digits(currency))
    except InvalidOperation as error:
        raise ValueError(f"'{text}' is not a price: write it like 19.90") from error
    if minor != int(minor):
        raise ValueError(f"'{text}' has more decimals than {currency} knows")
    if minor > MAX_AMOUNT:
        raise ValueError(f"'{text}' is too large for a price")
    return int(minor)
