//! The encoding of a text by its first bytes.

use stillhouse_unpack::{Confidence, Detected, Encoding, detect};

fn detected(head: &[u8]) -> (Encoding, Confidence) {
    let Detected { encoding, confidence } = detect(head, true);
    (encoding, confidence)
}

const NOTHING: (Encoding, Confidence) = (Encoding::Utf8, Confidence::Guess);

/// The text in an encoding of one byte per character.
fn in_bytes(text: &str, label: &str) -> Vec<u8> {
    let encoding = encoding_rs::Encoding::for_label(label.as_bytes()).unwrap();
    let (bytes, _, unmapped) = encoding.encode(text);
    assert!(!unmapped, "{label} has no letter for something in {text}");
    bytes.into_owned()
}

fn utf16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(order).collect()
}

#[test]
fn a_byte_order_mark_is_certain() {
    for (head, encoding) in [
        (&b"\xef\xbb\xbfid\n"[..], Encoding::Utf8Bom),
        (b"\xff\xfei\0d\0", Encoding::Utf16Le),
        (b"\xfe\xff\0i\0d", Encoding::Utf16Be),
        (b"\xff\xfe", Encoding::Utf16Le),
        // Chinese has no zeros.
        (b"\xff\xfe\x2d\x4e\x87\x65", Encoding::Utf16Le),
    ] {
        assert_eq!(detected(head), (encoding, Confidence::Certain));
    }
    assert_eq!(detected(b"\xff\xfe\0\0i\0\0\0"), NOTHING);
}

#[test]
fn ascii_and_utf_8_are_utf_8() {
    assert_eq!(detected(b""), (Encoding::Utf8, Confidence::Certain));
    assert_eq!(detected(b"id,name\n"), (Encoding::Utf8, Confidence::Certain));
    assert_eq!(detect(b"id,name\n", false).confidence, Confidence::High);
    assert_eq!(detected("id,größe\n1,日本語\n".as_bytes()), (Encoding::Utf8, Confidence::High));
    // The head ends inside a character.
    let cut = &"größe".as_bytes()[..3];
    assert_eq!(detect(cut, false), Detected { encoding: Encoding::Utf8, confidence: Confidence::High });
}

#[test]
fn utf_16_without_a_mark_shows_by_its_zeros() {
    for text in [
        "id,name\r\n1,x\r\n",
        "id;имя;город\r\n1;Анна Петрова;Москва\r\n2;Иван;Тверь\r\n",
        "id,名前\n1,東京都新宿区\n2,大阪府\n",
        "id,größe\n1,€ 5\n",
        "ab\n",
        "id,emoji\n1,😀\n",
    ] {
        for (encoding, bytes) in
            [(Encoding::Utf16Le, utf16(text, u16::to_le_bytes)), (Encoding::Utf16Be, utf16(text, u16::to_be_bytes))]
        {
            assert_eq!(detected(&bytes), (encoding, Confidence::High), "{text:?}");
            for end in 12..bytes.len() {
                assert_eq!(detect(&bytes[..end], false).encoding, encoding, "{text:?} cut at {end}");
            }
        }
    }
}

#[test]
fn zeros_alone_are_no_utf_16() {
    let heads: [&[u8]; 6] =
        [b"\0", b"\0\0\0\0", b"a\0b", b"id,name\n1,a\0b\n", b"\x01\0\x02\0\x03\0\x04\0", b"a\0\0b\0c\0d"];
    for head in heads {
        assert_eq!(detected(head), NOTHING, "{head:?}");
    }
    let mut parquet = b"PAR1\x15\0\x15\x1c\x15\x20\x2c\x15\x02\x15\0\0\x12\0\0".to_vec();
    parquet.extend((0..=255).cycle().take(2_000));
    assert_eq!(detected(&parquet), NOTHING);
}

#[test]
fn words_of_western_europe_are_windows_1252() {
    for text in [
        "id;name;straße\n1;Müller;Königsallee 5\n2;Groß;Äußere Straße\n3;JÄGER;ÖLMÜHLE\n",
        "nom,ville\nFrançois,Orléans\nHélène,Nîmes\nL’été,« où ça ? »\ncœur,Île-de-France\n",
        "nombre,ciudad\nJosé Núñez,Cádiz\n¿Qué?,Málaga\nMaría,1º piso\n",
        "nome,cidade\nJoão,São Paulo\nConceição,Brasília\nopções,Évora\n",
        "nome;città\nNiccolò;Forlì\nperché;Cefalù\nÈ;così\n",
        "navn,by\nSøren,Ærø\nÅse,Tromsø\nBjørn,Århus\n",
        "namn,stad\nBjörn,Malmö\nÅsa,Västerås\n",
        "nafn\nÞórður Sigurðsson\nÝmir\nBjörk\nHöfuðborgarsvæðið\n",
        "item,price\ncafé,€5\nnaïve,£3 – “best”\nTemperature,25°C à 30 °C\nàrea,20 m²\n",
        "Wort\n„süß“ »schön« …\n",
        "id,note\n1,é\n",
    ] {
        let bytes = in_bytes(text, "windows-1252");
        assert_eq!(detected(&bytes), (Encoding::Windows1252, Confidence::High), "{text}");
    }
    // One slip in a long text, and one name from elsewhere.
    let long = format!("{}MÜller,Dvořák\n", "Müller,Köln\n".repeat(200));
    let bytes = in_bytes(&long.replace('ř', "ø"), "windows-1252");
    assert_eq!(detected(&bytes).0, Encoding::Windows1252);
}

#[test]
fn other_letters_in_single_bytes_are_not_claimed() {
    for (label, text) in [
        ("windows-1250", "jméno,město\nDvořák,Plzeň\nŽižka,Tábor\nNováková,České Budějovice\nkůň,příští týden\n"),
        ("windows-1250", "imię,miasto\nŁukasz,Łódź\nZażółć,gęślą jaźń\nWiśniewski,Kraków\n"),
        ("windows-1250", "név,város\nErdős,Győr\nNagy Ágnes,Hódmezővásárhely\nSzűcs,Érd\nőrség,idő\n"),
        ("windows-1250", "ime,grad\nŽivković,Čačak\nĐorđe,Niš\nPetrović,Šabac\n"),
        ("iso-8859-2", "imię,miasto\nŁukasz,Łódź\nZażółć,gęślą jaźń\n"),
        ("windows-1251", "имя,город\nАнна,Москва\nИван,Тверь\n"),
        ("koi8-r", "имя,город\nАнна,Москва\nИван,Тверь\n"),
        ("windows-1253", "όνομα,πόλη\nΓιώργος,Αθήνα\n"),
        ("windows-1254", "isim,şehir\nAyşe,İstanbul\nÇağlar,Muğla\nGül,Diyarbakır\n"),
        ("windows-1255", "שם,עיר\nדוד,ירושלים\n"),
        ("windows-1257", "vardas,miestas\nŽemaitė,Šiauliai\nJonas,Kėdainiai\n"),
        ("shift_jis", "名前,都市\n田中,東京\n"),
        ("gbk", "姓名,城市\n王伟,北京\n"),
        ("euc-kr", "이름,도시\n김,서울\n"),
        ("macintosh", "name\nMüller\nKöln\nStraße\nÄrger\n"),
        ("ibm866", "имя,город\nАнна,Москва\n"),
    ] {
        assert_eq!(detected(&in_bytes(text, label)), NOTHING, "{label}: {text}");
    }
    // Code page 437, as old programs for Windows consoles write it: Müller, Köln, Straße.
    assert_eq!(detected(b"name\nM\x81ller\nK\x94ln\nStra\xe1e\n"), NOTHING);
    // Bytes without a meaning, and control characters.
    assert_eq!(detected(b"M\xfcller,\x81\n"), NOTHING);
    assert_eq!(detected(b"M\xfcller\x01\n"), NOTHING);
    assert_eq!(detected(b"price \x80 5\n"), NOTHING);
}

#[test]
fn utf_8_with_a_bad_record_is_not_another_encoding() {
    let mut text = "id,name\n1,Müller\n2,François\n3,Ærø\n".as_bytes().to_vec();
    text.extend_from_slice(b"4,M\xfcller\n");
    assert_eq!(detected(&text), NOTHING);
}

#[test]
fn detecting_never_fails() {
    use proptest::prelude::RngExt as _;
    let mut random = crate::common::random(5);
    for round in 0..20_000 {
        let bytes: Vec<u8> = (0..random.random_range(0..40)).map(|_| random.random()).collect();
        let _ = detect(&bytes, round % 2 == 0);
    }
}
