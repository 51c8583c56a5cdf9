/* locales.c - which files of a locale's folder a phone asks for, by the family of its loads. */
#include "core/locales.h"

#include <string.h>

static const struct row {
    const char *family;   /* loads, without SCCP or SIP before it */
    const char *texts[2]; /* of SCCP loads, of SIP loads; NULL: no localisation */
    const char *tones;
} rows[] = {
    {"P003", {"7960-dictionary.xml", NULL}, "7960-tones.xml"},
    {"CP79050", {"7905-dictionary.xml", NULL}, "g3-tones.xml"},
    {"CP79120", {"7905-dictionary.xml", NULL}, "g3-tones.xml"},
    {"cmterm_7920.", {"7920-dictionary.xml", NULL}, "g3-tones.xml"},
    {"CP7921G-", {"7921-dictionary.xml", NULL}, "g3-tones.xml"},
    {"11.", {"tc-sccp.jar", "tc-sip.jar"}, "g3-tones.xml"},
    {"41.", {"mk-sccp.jar", "mk-sip.jar"}, "g3-tones.xml"},
    {"42.", {"mk-sccp.jar", "mk-sip.jar"}, "g3-tones.xml"},
    {"45.", {"be-sccp.jar", "be-sip.jar"}, "g3-tones.xml"},
    {"70.", {"td-sccp.jar", "td-sip.jar"}, "g3-tones.xml"},
    {"75.", {"td-sccp.jar", "td-sip.jar"}, "g3-tones.xml"},
    {"6911.", {"rtl-sccp.jar", "rtl-sip.jar"}, "g3-tones.xml"},
    {"69xx.", {"rtl-sccp.jar", "rtl-sip.jar"}, "g3-tones.xml"},
    {"6945.", {"rtl-sccp.jar", "rtl-sip.jar"}, "g3-tones.xml"},
    {"894x.", {"gb-sccp-sip.jar", "gb-sccp-sip.jar"}, "g3-tones.xml"},
    {"78xx.", {NULL, "sp-sip.jar"}, "g3-tones.xml"},
    {"88xx.", {NULL, "sl-be-sip.jar"}, "g3-tones.xml"},
    {"8845_65.", {NULL, "sl-bev-sip.jar"}, "g3-tones.xml"},
    {"8961.", {NULL, "gh-sip.jar"}, "g3-tones.xml"},
    {"9951.", {NULL, "lk-sip.jar"}, "g4-tones.xml"},
    {"9971.", {NULL, "gd-sip.jar"}, "g4-tones.xml"},
};

static const struct {
    const char *language;
    struct locale_words words;
} languages[] = {
    {"Arabic", {"ar", "utf-8"}},          {"Bulgarian", {"bg", "utf-8"}},
    {"Chinese", {"zh", "utf-8"}},         {"Croatian", {"hr", "utf-8"}},
    {"Czech", {"cs", "utf-8"}},           {"Danish", {"da", "iso-8859-1"}},
    {"Dutch", {"nl", "iso-8859-1"}},      {"Finnish", {"fi", "iso-8859-1"}},
    {"French", {"fr", "iso-8859-1"}},     {"German", {"de", "iso-8859-1"}},
    {"Greek", {"el", "utf-8"}},           {"Hebrew", {"he", "utf-8"}},
    {"Hungarian", {"hu", "utf-8"}},       {"Italian", {"it", "iso-8859-1"}},
    {"Japanese", {"ja", "utf-8"}},        {"Korean", {"ko", "utf-8"}},
    {"Norwegian", {"no", "iso-8859-1"}},  {"Polish", {"pl", "utf-8"}},
    {"Portuguese", {"pt", "iso-8859-1"}}, {"Romanian", {"ro", "utf-8"}},
    {"Russian", {"ru", "utf-8"}},         {"Slovak", {"sk", "utf-8"}},
    {"Slovenian", {"sl", "utf-8"}},       {"Spanish", {"es", "iso-8859-1"}},
    {"Swedish", {"sv", "iso-8859-1"}},    {"Turkish", {"tr", "utf-8"}},
    {"Ukrainian", {"uk", "utf-8"}},
};

static struct text family_of(const struct model *m, unsigned protocol)
{
    struct text t = text_of(m->family[protocol]);

    return text_starts_nocase(t, "SCCP")  ? text_skip(t, strlen("SCCP"))
           : text_starts_nocase(t, "SIP") ? text_skip(t, strlen("SIP"))
                                          : t;
}

struct locale_files locale_files_of(const struct model *m, enum device_protocol protocol)
{
    unsigned i = protocol != PROTOCOL_SCCP;
    struct text family = family_of(m, i);

    for (const struct row *r = rows; r < rows + sizeof(rows) / sizeof(*rows); r++)
        if (text_is(family, r->family) && r->texts[i])
            return (struct locale_files){r->texts[i], r->tones};
    return (struct locale_files){};
}

struct locale_words locale_words_of(const char *name)
{
    for (size_t i = 0; i < sizeof(languages) / sizeof(*languages); i++)
        if (text_starts_nocase(text_of(name), languages[i].language))
            return languages[i].words;
    return (struct locale_words){"en", "iso-8859-1"};
}
