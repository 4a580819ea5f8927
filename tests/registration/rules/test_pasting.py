from app.registration.rules.pasting import rows_of

HEADINGS = {
    "email": "email",
    "e-mail": "email",
    "family name": "family_name",
    "អ៊ីមែល": "email",
    "នាមត្រកូល": "family_name",
}


def fields(text: str) -> list[dict[str, str]]:
    return [dict(row.fields) for row in rows_of(text, HEADINGS)]


def test_tabs_semicolons_and_commas_are_told_apart():
    expected = [{"email": "a@b.example", "titles": "Dr.", "family_name": "Keo"}]
    assert (
        fields("a@b.example\tDr.\tKeo") == fields("a@b.example;Dr.;Keo") == fields("a@b.example, Dr., Keo") == expected
    )


def test_a_tab_wins_over_the_commas_between_titles():
    assert fields("a@b.example\tH.E., Dr.\tKeo")[0]["titles"] == "H.E., Dr."


def test_a_heading_in_either_language_says_the_columns_and_unknown_ones_are_left_out():
    assert fields("Family name\tAge\tE-mail\nKeo\t50\ta@b.example") == [{"family_name": "Keo", "email": "a@b.example"}]
    assert fields("នាមត្រកូល\tអ៊ីមែល\nKeo\ta@b.example") == [{"family_name": "Keo", "email": "a@b.example"}]


def test_lines_are_numbered_as_people_count_and_empty_ones_passed_over():
    assert [
        row.number for row in rows_of("email\tfamily name\n\na@b.example\tKeo\r\n\t\nc@d.example\tSok", HEADINGS)
    ] == [3, 5]


def test_nothing_pasted_is_nobody():
    assert rows_of(" \n\n", HEADINGS) == ()
