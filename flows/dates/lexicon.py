"""The words dates are made of, in Ukrainian, Russian, Belarusian, English and what is spoken between them.

Each word has a tag, one letter, and a value; `grammar` knows in which order tags make a date. Words stand here
as people write them and are looked up as `fold` leaves them. A word that two languages understand differently
is left out, or given the reading that is sure in both.

WORDS["вересня"] == ("M", 9)
"""

from collections.abc import Iterator
from typing import Final

from flows.dates.edtf import AUTUMN, SPRING, SUMMER, WINTER
from flows.dates.fold import fold
from flows.dates.numbers import NUMBERS, ORDINALS

TAGS: Final = {
    "c": "a date written in figures",
    "y": "a year",
    "n": "a number",
    "o": "an ordinal number",
    "h": "a count with a half, or a couple",
    "v": "a vague count",
    "k": "thousand",
    "+": "and a half",
    "M": "a month",
    "S": "a season",
    "W": "a day of the week",
    "T": "today, yesterday, tomorrow",
    "K": "last year, this year, in one word",
    "J": "new",
    "N": "New Year",
    "Y": "year",
    "D": "day",
    "G": "week",
    "Q": "Sunday or week",
    "O": "month, the word",
    "s": "a day's number, the word",
    "e": "a day's number",
    "A": "ago",
    "L": "last, before last, this, next",
    "d": "that (year, summer)",
    "I": "in, on",
    "F": "from, since",
    "E": "until, to",
    "B": "before",
    "a": "after",
    "Z": "in, of time to come",
    "w": "between",
    "&": "and",
    "|": "or",
    "-": "a dash or a slash",
    "P": "beginning, middle, end",
    "~": "about",
    "?": "perhaps",
    "!": "not",
    "m": "to remember, to know, sure",
    ".": "a word that changes nothing",
    ";": "a pause",
    "x": "any other word",
}

_MONTHS: Final = (
    (
        "январь января январе янв січень січня січні сичня студзень студзеня студзені январем январём січнем "
        "студзенем jan january"
    ),
    (
        "февраль февраля феврале февралі февралы фев лютий лютого лютому люты лютага лютым февралем лютим лютым feb "
        "february"
    ),
    (
        "март марта марте марті марці сакавік сакавіка сакавіку березень березня березні мартом березнем сакавіком "
        "mar march"
    ),
    (
        "апрель апреля апреле апрєлі апрэлі апр квітень квітня квітні красавік красавіка красавіку апрелем квітнем "
        "красавіком april apr"
    ),
    "май мая мае маі маю травень травня маем травнем траўнем травні траўня траўні may",
    "июнь июня июне іюні червень червня червні чэрвень чэрвеня чэрвені июнем червнем чэрвенем june jun",
    "июль июля июле іюлі липень липня липні ліпень ліпеня ліпені июлем липнем ліпенем july jul",
    (
        "август августа августе августі аўгуст аўгуста аўгусце авг серпень серпня серпні жнівень жніўня жніўні "
        "августом серпнем жніўнем august aug"
    ),
    (
        "сентябрь сентября сентябре сентябрі сенцябр сенцябра сенцября сенцябры сенцябрі сент сен "
        "вересень вересня вересні верасень верасня верасні сентябрем вереснем вераснем september sept sep"
    ),
    (
        "октябрь октября октябре октябрі акцябр акцябра акцября акцябры акцябрі окт "
        "жовтень жовтня жовтні кастрычнік кастрычніка кастрычніку октябрем жовтнем кастрычнікам october oct"
    ),
    (
        "ноябрь ноября ноябре ноябрі наябр наябра наябры нояб листопад листопада листопаді "
        "лістапад лістапада лістападзе ноябрем листопадом лістападам november nov"
    ),
    (
        "декабрь декабря декабре декабрі дзекабр дзекабра дзекабря дзекабры дек грудень грудня грудні "
        "снежань снежня снежні декабрем груднем снежнем december dec"
    ),
)
_SEASONS: Final = {
    SPRING: "весна весни весну весною весной весны навесні вясна вясны вясну вясной вясною увесну spring",
    SUMMER: "літо літа літом літі влітку улітку лето лета летом летам лете улетку ўлетку summer",
    AUTUMN: "осінь осені осінню восени осень осенью осенню восень восені восенню увосень увосені autumn fall",
    WINTER: "зима зими зиму зимою зимой зимы зіма зіму зімы зімой зімою взимку узимку ўзімку winter",
}
_WEEKDAYS: Final = (
    "понеділок понеділка понедельник понедельника панядзелак панядзелка monday mon",
    "вівторок вівторка вторник вторника аўторак аўторка tuesday tue",
    "середа середу середи среда среду среды серада сераду серады wednesday wed",
    "четвер четверга четверг чацвер чацвярга thursday thu",
    "п'ятниця п'ятницю п'ятниці пятница пятницу пятницы пятніца пятніцу пятніцы friday fri",
    "субота суботу суботи суббота субботу субботы суботы saturday sat",
    "воскресенье воскресенья воскресення воскрєсєньє sunday sun",
)
_DAYS: Final = {
    0: "сьогодні сьодні сегодня севодня сёння сягоння today",
    -1: "вчора учора вчера вчєра учера ўчора ўчэра yesterday",
    -2: "позавчора позавчера позавчєра пазаўчора пазаўчэра заўчора",
    1: "завтра заўтра завтри tomorrow",
    2: "післязавтра послезавтра паслязаўтра послязавтра",
}
_YEARS_WORDS: Final = {0: "сёлета", -1: "торік летась", -2: "позаторік пазалетась"}
_ORDER: Final = {
    -1: "минулий минулого минулої минулому минулим минула минуле минулу прошлий прошлого прошлої прошлой прошлому "
    "прошлым прошлом прошлая прошлое прошлую прошлый прошлій прошлім прошлим торішнього торішньої мінулы мінулага "
    "мінулай мінулым мінулае мінулую прошлага прошлай прошлыя прошлы летошняй летошнім last previous past",
    -2: "позаминулого позаминулої позаминулому позаминулий позапрошлого позапрошлой позапрошлом позапрошлым "
    "позапрошлый позапрошлої позапрошлому пазамінулага пазамінулай пазамінулым пазапрошлага пазапрошлай "
    "пазапрошлым",
    0: "цьом цім етім цього цієї цьому цей ця цю цеї ції этого этой этом этот эта эту етим этому гэтага гэтай "
    "гэтым гэты гэта гэту "
    "this",
    1: "наступного наступної наступному наступний следующего следующей следующем следующий слідуючого слідуючій "
    "слідуючої следущей следущем наступнага наступнай наступным next coming",
}
# Tags whose words carry no value.
_OTHERS: Final = {
    "Y": "рік року році роком роки років рокі год года году годе годі годзе годом годам годы гады гадоў гадах годах "
    "роках лет р г year years yr yrs",
    "D": "день дня дні днів днях дней дзень дзён day days",
    "G": "тиждень тижня тижні тижнів тижню тижнем тыждень тыдзень тыдня тыдні тыдняў тыдням week weeks",
    "Q": "неділя неділі неділю неділь недєлю недєлі неделя недели неделю недель неделе нядзеля нядзелю нядзелі "
    "нядзель",
    "O": "місяць місяця місяці місяців місяцем мєсяць месяц месяца месяце месяцев месяцы месяцаў месяцам мес міс "
    "month months",
    "s": "числа число чисел числах",
    "A": "тому назад таму ago back",
    "J": "новий нового новому новим новый новым новом новы новага новым новаму new",
    "I": "у в во ў ув на in on at of for during за",
    "F": "від од від ад от з із зі с со са from since",
    "E": "до по па да to till until untill",
    "B": "перед перед прад перад before",
    "a": "після послє после пасля опісля after",
    "Z": "через чєрєз праз",
    "w": "між поміж между паміж between",
    "&": "і и й та and ды",
    "|": "або чи или или ці альбо або or",
    "P": "напачатку спочатку вначале вкінці вконце вканцы уканцы поч кін нач посеред пасярод посреди початок "
    "початку початка пачатак пачатку пачатка начало начале началі начала началу напочатку кінець кінці "
    "кінця кінцем наприкінці напрыканцы канец канцы канца канці конец конце конца концу середина середині середину "
    "середини середине середины посередині сярэдзіна сярэдзіне сярэдзіны половині половина половине палове end "
    "ending "
    "late early mid middle beginning start begining останніх останніми последних последние апошніх",
    "d": "том тот того той тем тим тою таго тым",
    "+": "плюспив",
    "k": "тисячі тисяча тысячи тысяча тысячы тищі",
    "~": "зо дзесьці близько приблизно десь орієнтовно біля коло прыблізна прымерна прімерно примерно примєрно каля "
    "недзе около гдето гдета ориентировочно возле about around circa approximately approx roughly near під под пад",
    "?": "може можливо мабуть певно кажется кажись здається здаеться здаецца напевно наверно наверное наверна вроде "
    "вродє вроді ніби можа мабыць пэўна возможно может быть бути можуть видимо perhaps maybe probably possibly guess "
    "think либо хіба думаю",
    "!": "не ня ні нет нє no not dont don cant t",
    "m": "помню пам'ятаю памятаю памятаємо знаю ведаю знаємо знаем уверен уверена впевнений впевнена упэўнены "
    "упэўнена "
    "скажу могу можу точно дакладна sure know remember recall exactly",
    "v": "раніше раньше раней пізніше позже пазней earlier later понад більше больше больш более кілька "
    "декілька несколько нєсколько некалькі few several some many много багато шмат",
    ".": "весь ввесь увесь цілий целый whole all сразу одразу відразу адразу right ще еще яшчэ тільки только "
    "було була був это было была був це it was "
    "been that the a an sometime time ж же ну уже вже ужо ввечері "
    "увечері вечора вечером вєчєром вечорам увечары ўвечары ўдзень вранці уранці зранку ранку утром утра раніцай "
    "раніцы зраніцы днем вдень удень днём вночі уночі ночью ночі ночи ноччу уначы morning evening night afternoon am "
    "pm о об а але но рівно ровно починаючи начиная eve так ага yes yeah",
}
_HALVES: Final = {
    0.5: "пів пол паў half",
    1.5: "півтора півтори полтора полторы паўтара паўтары полутора",
    2: "пару пара couple",
}
# Half a year and the like, in one word.
HALF_YEARS: Final = frozenset(fold(word) for word in ("півроку", "півгода", "полгода", "паўгода", "паўгоду"))
# Units that need a number before them.
MANY: Final = frozenset(
    fold(
        "роки років лет годы гады гадоў years yrs дні днів дней дзён days тижні тижнів тыдні тыдняў weeks "
        "неділь недель "
        "нядзель місяці місяців месяцев месяцаў months"
    ).split()
)
MONTHS: Final = {
    fold(word): number for number, words in enumerate(_MONTHS, start=1) for word in words.split()
}
# What makes figures an ordinal: "22-го", "6th".
ORDINAL_ENDINGS: Final = frozenset(
    fold("х их го й я е ого ый ий ій му м ом им га ага аму ы ым ая th st nd rd і ої").split()
)

# Several words that mean one, as folded text; what replaces them is a word of the lists above, or "плюспив".
PHRASES: Final = (
    (r"(?:the )?day before yesterday", "позавчера"),
    (r"(?:the )?day after tomorrow", "послезавтра"),
    (r"(?:the )?year before last", "позапрошлого року"),
    (r"^да\s*[,.!]", ""),
    (r"some time", "sometime"),
    (
        (
            r"(?:[вуоа]|об|at) [0-9]{1,2}(?:[:.][0-9]{2})? ?"
            r"(?:утра|вечера|дня|ночи|ранку|вечора|раници|вечара|годин\w*|час(?:ов|а)?|гадзин\w*|am|pm|oclock)"
        ),
        "",
    ),
    (r"back in", "in"),
    (
        r"tonight|(?:this|цього|этим|гэтаи) (?:morning|afternoon|evening|night|ранку|вечора|утром|раницаи)",
        "today",
    ),
    (r"(?:[иы] )?(?:до сих пор|по сеи день|доси|дотепер|дагетул|дасюл|until now|till now)", ""),
    (r"ближе к|ближче до|ближеи да|closer to", "about"),
    (r"к (?=конц)", ""),
    (r"last night", "perhaps yesterday"),
    (r"г?де ?- ?т[оа]|где т[оа]", "десь"),
    (r"[зс] (?:половинои|половиною|паловаи|палавинаи)|and a half", "плюспив"),
    (r"пара ?- ?троика", "несколько"),
)

Word = tuple[str, float]


def _words() -> Iterator[tuple[str, Word]]:
    for tag, words in _OTHERS.items():
        yield from ((word, (tag, 0)) for word in words.split())
    yield from ((word, ("n", number)) for word, number in NUMBERS.items())
    yield from ((word, ("o", number)) for word, number in ORDINALS.items())
    yield from ((word, ("M", month)) for word, month in MONTHS.items())
    for day, words in enumerate(_WEEKDAYS):
        yield from ((word, ("W", day)) for word in words.split())
    tables: tuple[tuple[str, dict[float, str] | dict[int, str]], ...] = (
        ("S", _SEASONS),
        ("T", _DAYS),
        ("K", _YEARS_WORDS),
        ("L", _ORDER),
        ("h", _HALVES),
    )
    for tag, table in tables:
        for value, words in table.items():
            yield from ((word, (tag, value)) for word in words.split())


WORDS: Final[dict[str, Word]] = {fold(word): meaning for word, meaning in _words()}
