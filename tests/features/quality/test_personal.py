import json

import pytest

from features.quality.personal import Personal, mask_text


@pytest.mark.parametrize(
    ("text", "masked", "kind"),
    [
        ("打电话13812345678吧", "打电话138****5678吧", Personal.PHONE),
        ("+86 138-1234-5678", "+86 138****5678", Personal.PHONE),
        ("(+86)13812345678", "(+86)138****5678", Personal.PHONE),
        ("008613812345678", "0086138****5678", Personal.PHONE),
        ("１３８ １２３４ ５６７８", "138****5678", Personal.PHONE),
        ("tel13812345678,19900001111", "tel138****5678,199****1111", Personal.PHONE),
        ("zhang.san+mall@mail.example.com", "z***@mail.example.com", Personal.EMAIL),
        ("ｍ zhang＠example.com", "ｍ z***@example.com", Personal.EMAIL),
        ("身份证11010519491231002X", "身份证110*************2X", Personal.RESIDENT_ID),
        ("110105 19491231 002x", "110*************2x", Personal.RESIDENT_ID),
        ("4111111111111111", "4111********1111", Personal.BANK_CARD),
        ("6222 0212 3456 7890 128", "6222***********0128", Personal.BANK_CARD),
    ],
)
def test_personal_data_is_masked(text: str, masked: str, kind: Personal) -> None:
    result, found = mask_text(text)
    assert result == masked
    assert set(found) == {kind}


@pytest.mark.parametrize(
    "text",
    [
        "1712345678901",  # milliseconds since 1970
        "1712345678901234",  # microseconds
        "1712345678901234567",  # nanoseconds
        "20240115123456789012",  # 20 digits
        "2024011512345678",  # 16 digits of an order
        "202401151234567890",  # 18 digits, no resident number
        "110105194912310021",  # a resident number but for its last digit
        "4111111111111112",  # a card but for its last digit
        "13800138000.00",  # money
        "0.13812345678",
        "12345678901",
        "23812345678",
        "138123456789",  # 12 digits
        "2024-138-1234-5678",
        "5f13812345678ab",  # hexadecimal
        "icon@2x.png",
        "mallard@1.2.3",
        "2024-01-15T12:34:56.789012Z",
        "192.168.100.200",
        "红色 连衣裙 2024 新款 199.00",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask_text(text) == (text, {})


def test_several_in_one_text_are_all_masked() -> None:
    masked, found = mask_text("call 13812345678 or 13900001111, mail a@b.cn")
    assert masked == "call 138****5678 or 139****1111, mail a***@b.cn"
    assert found == {Personal.PHONE: 2, Personal.EMAIL: 1}
    assert json.dumps(found) == '{"phone": 2, "email": 1}'
