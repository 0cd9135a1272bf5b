"""What people write of a place is found, whichever way it is spelled; what is no place finds nothing."""

import csv
from pathlib import Path

import pytest

from flows import placenames
from flows.places import MOST, Place, Places

DATA = Path(__file__).parents[2] / "flows" / "data"

FOUND = [
    # what was written, the language spoken, the settlement and oblast that must come first
    ("Харцизьк", "uk", "Харцизьк", "Донецька область"),
    ("біля Харцизька", "uk", "Харцизьк", "Донецька область"),
    ("під Харцизьком", "uk", "Харцизьк", "Донецька область"),
    ("у Макіївці", "uk", "Макіївка", "Донецька область"),
    ("м. Донецьк", "uk", "Донецьк", "Донецька область"),
    ("ДОНЕЦЬК", "uk", "Донецьк", "Донецька область"),
    ("зі Сніжного", "uk", "Сніжне", "Донецька область"),
    ("Дебальцевого", "uk", "Дебальцеве", "Донецька область"),
    ("з Києва", "uk", "Київ", "Київ"),
    ("Мар'їнка", "uk", "Мар’їнка", "Донецька область"),
    ("Куп`янськ", "uk", "Куп’янськ", "Харківська область"),
    ("смт Новотроїцьке", "uk", "Новотроїцьке", "Херсонська область"),
    ("новакаховка", "uk", "Нова Каховка", "Херсонська область"),
    ("Сєвєродонецьк", "uk", "Сіверськодонецьк", "Луганська область"),
    ("інтернат у Старобільську", "uk", "Старобільськ", "Луганська область"),
    ("школа 12 в Мар'їнці", "uk", "Мар’їнка", "Донецька область"),
    ("Маріу", "uk", "Маріуполь", "Донецька область"),
    ("Марiуполь", "uk", "Маріуполь", "Донецька область"),  # a Latin i
    ("Маріуопль", "uk", "Маріуполь", "Донецька область"),
    ("Мелітопль", "uk", "Мелітополь", "Запорізька область"),
    ("Яни Капу", "uk", "Яни Капу", "Автономна Республіка Крим"),
    ("Донецк", "ru", "Донецьк", "Донецька область"),
    ("в Донецке", "ru", "Донецьк", "Донецька область"),
    ("из Мариуполя", "ru", "Маріуполь", "Донецька область"),
    ("под Харцызском", "ru", "Харцизьк", "Донецька область"),
    ("Торез", "ru", "Чистякове", "Донецька область"),
    ("Енакиево", "ru", "Єнакієве", "Донецька область"),
    ("Шахтёрск", "ru", "Шахтарськ", "Донецька область"),
    ("Артемовск", "ru", "Бахмут", "Донецька область"),
    ("Красный Луч", "ru", "Хрустальний", "Луганська область"),
    ("Свердловск", "ru", "Довжанськ", "Луганська область"),
    ("Макеевка ДНР", "ru", "Макіївка", "Донецька область"),
    ("г. Бердянск Запорожская обл.", "ru", "Бердянськ", "Запорізька область"),
    ("детский дом в Амвросиевке", "ru", "Амвросіївка", "Донецька область"),
    ("Алёшки", "ru", "Олешки", "Херсонська область"),
    ("Луганск", "ru", "Луганськ", "Луганська область"),
    ("Данецк", "be", "Донецьк", "Донецька область"),
    ("пад Горлаўкай", "be", "Горлівка", "Донецька область"),
    ("Шахцёрск", "be", "Шахтарськ", "Донецька область"),
    ("Бердзянск", "be", "Бердянськ", "Запорізька область"),
    ("з Марыупаля", "be", "Маріуполь", "Донецька область"),
    ("Сімферопаль", "be", "Сімферополь", "Автономна Республіка Крим"),
    ("каля Валнавахі", "be", "Волноваха", "Донецька область"),
    ("near Khartsyzk", "en", "Харцизьк", "Донецька область"),
    ("Lugansk", "en", "Луганськ", "Луганська область"),
    ("Kiev", "en", "Київ", "Київ"),
    ("Mariupol, Ukraine", "en", "Маріуполь", "Донецька область"),
    ("Kharkiv oblast, Izyum", "en", "Ізюм", "Харківська область"),
    ("Severodonetsk", "en", "Сіверськодонецьк", "Луганська область"),
    ("the town of Oleshky", "en", "Олешки", "Херсонська область"),
]

NOWHERE = [
    "",
    " ",
    "123",
    "ааааа",
    "не знаю",
    "не помню",
    "I don't know",
    "не памятаю",
    "школа",
    "дитячий будинок",
    "🙂",
]


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.load()


@pytest.mark.parametrize(("written", "lang", "settlement", "oblast"), FOUND)
def test_what_was_written_is_found_first(
    places: Places, written: str, lang: str, settlement: str, oblast: str
) -> None:
    first = places.suggest(written, lang)[0]
    assert (first.name["uk"], first.oblast["uk"]) == (settlement, oblast)


@pytest.mark.parametrize("written", NOWHERE)
def test_what_is_no_place_finds_nothing(places: Places, written: str) -> None:
    assert places.suggest(written, "uk") == []


@pytest.mark.parametrize(
    ("written", "oblast"),
    [
        ("Simferopol", "Autonomous Republic of Crimea"),
        ("Sevastopol", "Sevastopol"),
        ("Donetsk", "Donetsk Oblast"),
        ("Luhansk", "Luhansk Oblast"),
    ],
)
def test_crimea_and_the_east_are_in_ukraine(places: Places, written: str, oblast: str) -> None:
    first = places.suggest(written, "en")[0]
    assert (first.name["en"], first.oblast["en"], first.country) == (written, oblast, "UA")


def test_a_place_is_named_with_raion_and_oblast_in_four_languages(places: Places) -> None:
    place = places.suggest("Шахтарськ", "uk")[0]
    assert place == Place(
        "UA14060170010074240",
        "city",
        {"uk": "Шахтарськ", "ru": "Шахтёрск", "be": "Шахцёрск", "en": "Shakhtarsk"},
        {
            "uk": "Шахтарська громада",
            "ru": "Шахтарська громада",
            "be": "Шахтарська громада",
            "en": "Shakhtarska Hromada",
        },
        {
            "uk": "Горлівський район",
            "ru": "Горловский район",
            "be": "Горлаўскі раён",
            "en": "Horlivskyi Raion",
        },
        {
            "uk": "Донецька область",
            "ru": "Донецкая область",
            "be": "Данецкая вобласць",
            "en": "Donetsk Oblast",
        },
    )
    assert places.get(place.id) == place


@pytest.mark.parametrize(
    "code", ["", "UA", "UA14060170010074241", "Харцизьк", "UA14060170010074240\n", "x" * 10_000]
)
def test_a_code_of_no_settlement_is_none(places: Places, code: str) -> None:
    assert places.get(code) is None


def test_the_better_known_comes_first_and_five_at_most(places: Places) -> None:
    kinds = [place.kind for place in places.suggest("Запоріжжя", "uk")]
    assert kinds[0] == "city"
    assert len(kinds) == MOST
    assert "city" not in kinds[1:]


def test_an_area_beside_a_name_tells_namesakes_apart(places: Places) -> None:
    assert {place.oblast["uk"] for place in places.suggest("Олександрівка", "uk")} != {"Донецька область"}
    for written in (
        "Олександрівка Донецька область",
        "Александровка (Донецкая обл.)",
        "Oleksandrivka, Donetsk oblast",
    ):
        found = places.suggest(written, "uk")
        assert len(found) == MOST
        assert {place.oblast["uk"] for place in found} == {"Донецька область"}
    near = places.suggest("Благодатне, біля Волновахи", "uk")
    assert {place.raion["uk"] for place in near} == {"Волноваський район"}


@pytest.mark.parametrize(
    "odd",
    [
        "Донецьк " * 10_000,
        "а" * 1_000_000,
        "у " * 2_000,
        "\u200b\u202eДонецьк\u202c",
        "\x00\ud800",
        "(((((" * 500,
        "." * 5_000,
        "İ" * 200,
        "обл обл обл " * 50,
        "%s{}\\n'\";--",
    ],
)
def test_huge_and_odd_texts_are_read_without_harm(places: Places, odd: str) -> None:
    assert len(places.suggest(odd, "uk")) <= MOST


def test_invisible_characters_do_not_hide_a_name(places: Places) -> None:
    assert places.suggest("\u200bДо\u0301нецьк\u00ad", "uk")[0].name["en"] == "Donetsk"


def test_every_settlement_is_found_by_its_own_name(places: Places) -> None:
    with (DATA / "settlements.csv").open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source))
    names = {row[2] for row in rows[::97]}
    for name in names:
        assert name in {place.name["uk"] for place in places.suggest(name, "uk")}, name
        assert placenames.keys_of_lines(name) == [placenames.key(name)]


@pytest.mark.parametrize(
    ("ukrainian", "romanised"),
    [  # the examples of resolution 55 of 2010 that are places
        ("Алушта", "Alushta"),
        ("Борщагівка", "Borshchahivka"),
        ("Вінниця", "Vinnytsia"),
        ("Гадяч", "Hadiach"),
        ("Згорани", "Zghorany"),
        ("Єнакієве", "Yenakiieve"),
        ("Запоріжжя", "Zaporizhzhia"),
        ("Їжакевич", "Yizhakevych"),
        ("Кадиївка", "Kadyivka"),
        ("Йосипівка", "Yosypivka"),
        ("Стрий", "Stryi"),
        ("Знам’янка", "Znamianka"),
        ("Короп’є", "Koropie"),
        ("Біла Церква", "Bila Tserkva"),
        ("Івано-Франківськ", "Ivano-Frankivsk"),
        ("Юрій", "Yurii"),
        ("Щербухи", "Shcherbukhy"),
    ],
)
def test_english_names_follow_the_resolution_of_2010(ukrainian: str, romanised: str) -> None:
    assert placenames.romanised(ukrainian) == romanised
