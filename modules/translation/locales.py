"""The locales that a store may choose from, by their BCP 47 tags."""

from __future__ import annotations

from types import MappingProxyType

LOCALES = MappingProxyType(
    {
        "ar-AE": "Arabic (United Arab Emirates)",
        "ar-EG": "Arabic (Egypt)",
        "ar-SA": "Arabic (Saudi Arabia)",
        "bg-BG": "Bulgarian (Bulgaria)",
        "bn-BD": "Bengali (Bangladesh)",
        "cs-CZ": "Czech (Czech Republic)",
        "da-DK": "Danish (Denmark)",
        "de-AT": "German (Austria)",
        "de-CH": "German (Switzerland)",
        "de-DE": "German (Germany)",
        "el-GR": "Greek (Greece)",
        "en-AU": "English (Australia)",
        "en-CA": "English (Canada)",
        "en-GB": "English (United Kingdom)",
        "en-US": "English (United States)",
        "es-AR": "Spanish (Argentina)",
        "es-ES": "Spanish (Spain)",
        "es-MX": "Spanish (Mexico)",
        "fi-FI": "Finnish (Finland)",
        "fr-BE": "French (Belgium)",
        "fr-CA": "French (Canada)",
        "fr-FR": "French (France)",
        "he-IL": "Hebrew (Israel)",
        "hi-IN": "Hindi (India)",
        "hu-HU": "Hungarian (Hungary)",
        "id-ID": "Indonesian (Indonesia)",
        "it-IT": "Italian (Italy)",
        "ja-JP": "Japanese (Japan)",
        "ka-GE": "Georgian (Georgia)",
        "ko-KR": "Korean (South Korea)",
        "lt-LT": "Lithuanian (Lithuania)",
        "mn-MN": "Mongolian (Mongolia)",
        "ms-MY": "Malay (Malaysia)",
        "nb-NO": "Norwegian Bokmål (Norway)",
        "nl-BE": "Dutch (Belgium)",
        "nl-NL": "Dutch (Netherlands)",
        "pl-PL": "Polish (Poland)",
        "pt-BR": "Portuguese (Brazil)",
        "pt-PT": "Portuguese (Portugal)",
        "ro-RO": "Romanian (Romania)",
        "ru-RU": "Russian (Russia)",
        "sk-SK": "Slovak (Slovakia)",
        "sv-SE": "Swedish (Sweden)",
        "th-TH": "Thai (Thailand)",
        "tl-PH": "Tagalog (Philippines)",
        "tr-TR": "Turkish (Turkey)",
        "uk-UA": "Ukrainian (Ukraine)",
        "vi-VN": "Vietnamese (Vietnam)",
        "zh-CN": "Chinese Simplified (China)",
        "zh-HK": "Chinese Traditional (Hong Kong)",
        "zh-TW": "Chinese Traditional (Taiwan)",
    }
)
"""Tag → name in English."""


def normal(tag: str) -> str:
    """A tag as it is stored and compared: `de-de` → `de-DE`, `ru-cyrl-by` → `ru-Cyrl-BY`. Anything longer stays as it is."""
    parts = tag.split("-")
    if len(parts) == 1:
        return tag.lower()
    if len(parts) == 2:
        return f"{parts[0].lower()}-{parts[1].upper()}"
    if len(parts) == 3:
        return f"{parts[0].lower()}-{parts[1].capitalize()}-{parts[2].upper()}"
    return tag
