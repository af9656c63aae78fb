"""Chinese, Japanese or Korean byline -> names: scripts without capitals, where only a label or a role tells a name."""

import re
import unicodedata

LONGEST_BYLINE = 150  # characters

IS_EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_HAN = r"[\u3400-\u9fff々]"
_NAME = re.compile(
    rf"{_HAN}{{2,4}}|{_HAN}{{2,6}}(?:·{_HAN}{{2,6}}){{1,3}}|(?=.*{_HAN})[\u3040-\u30ff\u3400-\u9fff々]{{3,6}}|[\uac00-\ud7af]{{2,4}}"
)
_SURNAMES = (  # of China, that are no given name's beginning in Japan as a rule
    "王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭程曹袁邓鄧许許傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎"
    "閻余潘杜戴夏钟鍾汪田任姜范石姚谭譚廖邹鄒熊陆陸郝孔白崔康毛邱秦江史顾顧侯邵孟龙龍万萬段雷钱錢汤湯尹黎易常武乔喬贺賀赖賴龚龔"
)
_REPORTER = r"(?:本[报報网網社]|特[约約派])?(?:[记記]者|通[讯訊][员員])"
_LABEL = re.compile(  # tells who wrote what stands behind it
    rf"(?:^|(?<=[^\w])|(?<=社))(?:(?:{_REPORTER}|作者|著者|筆者)(?:\s*[:=/]\s*|\s+)"
    r"|(?:撰文|撰稿|文字|采写|採訪|取材・文|文|글|취재)\s*[:=/]\s*)(?=\S)"
    rf"|^{_REPORTER}(?=[{_SURNAMES}]{_HAN}{{1,3}}(?!\w))"
)
_LABELS = re.compile(rf"{_REPORTER}|作者|\s[:=/]\s")
_OTHER = re.compile(  # begins what is told of something else
    r"(?:[责責]任|[编編][辑輯集]|校[对對]|[来來]源|出[处處典]|[审審]核|[监監][制製]|[发發]布|[时時][间間]|日期|[摄攝撮]影|[图圖写写]片|写真|翻[译譯訳]"
    r"|公開|更新|配信|사진|그래픽|영상|편집|입력|수정|등록|승인|송고).*",
    re.DOTALL,
)
_ROLE = re.compile(  # behind a name: tells that it is one
    r"(?:(?:\s+\S{0,4}|(?<=[\uac00-\ud7af]{3}))(?:기자|특파원|논설위원|에디터|앵커)|\s*[记記]者|特派[员員]|編集委員|論説委員)(?=$|[\s=\[\](),/·|])"
)
_DATELINE = re.compile(r"^\s*[(\[【][^)\]】]{1,40}[)\]】]\s*(?=\S)")  # (서울=통신)
_PLACE = re.compile(r"\s*[/／].*|\s*(?:[综綜]合)?(?:报|報)[导導道].*", re.DOTALL)  # 台北報導
_GAP = re.compile(r"[\s、,;&|和及]+|(?<=[\uac00-\ud7af])·")  # a dot in a Chinese name parts the names of one person
_NOBODY = re.compile(
    r".*(?:[部社网網报報局省厅廳厅庁院室组組团団會会]|编辑|編輯|編集|通信|新聞|新闻|뉴스|일보|신문|방송|통신|편집부|취재팀|[부팀처])$"
    r"|(?:本[报報]|本[网網]|佚名|匿名|未知|本지|본지|인턴|취재|사진|담당|현장|시민|온라인|디지털|선임|전문|수습|객원|편집|영상|다른|동료|외신|모든|많은|일부|여러|해당|연합).*"
)


def signed(text: str) -> tuple[str, ...]:
    """The people whom a line that readers see names as its authors; none where no label and no role says so."""
    if len(text) > LONGEST_BYLINE or not IS_EAST_ASIAN.search(text):
        return ()
    folded = unicodedata.normalize("NFKC", text)
    if label := _LABEL.search(folded):
        return _people(folded[label.end() :])
    folded = _DATELINE.sub("", folded)
    role = _ROLE.search(folded)
    return _people(folded[: role.start()]) if role else ()


def named(text: str) -> tuple[str, ...]:
    """The people in what is known to be a byline."""
    folded = unicodedata.normalize("NFKC", text)
    return signed(text) or _people(_ROLE.sub("", folded).strip("【】()[]「」 "))


def _people(text: str) -> tuple[str, ...]:
    text = _LABELS.sub(" ", _ROLE.sub(" ", _OTHER.sub("", text)))
    pieces = _GAP.split(_PLACE.sub("", text).strip())
    pieces = [piece for piece in pieces if piece]
    if len(pieces) == 2 and all(_is_half(piece) for piece in pieces) and not all(one[0] in _SURNAMES for one in pieces):
        pieces = [" ".join(pieces)]  # 山田 太郎
        return tuple(pieces)
    found = []
    for piece in pieces:
        if not _NAME.fullmatch(piece) or _NOBODY.fullmatch(piece):
            break
        found.append(piece)
    return tuple(dict.fromkeys(found))


def _is_half(piece: str) -> bool:
    """Whether a word may be a family name or a given name by itself, in Chinese characters."""
    return len(piece) <= 2 and re.fullmatch(rf"{_HAN}+", piece) is not None
