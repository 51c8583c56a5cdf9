#include "core/dates.h"

#define SD " Standard/Daylight Time"
#define S  " Standard Time"

/* Zone names that phone firmware accepts (names in its own spelling), and the IANA zones in them. */
static const struct zone {
    const char *name;
    const char *iana; /* separated by blanks */
} zones[] = {
    {"Dateline" S,                "Etc/GMT+12"},
    {"Samoa" S,                   "Pacific/Midway Pacific/Pago_Pago"},
    {"Hawaiian" S,                "Pacific/Honolulu Pacific/Tahiti US/Hawaii"},
    {"Alaskan" SD,                "America/Anchorage America/Juneau US/Alaska"},
    {"Pacific" SD,                "America/Los_Angeles America/Vancouver America/Tijuana US/Pacific Canada/Pacific PST8PDT"},
    {"Mountain" SD,               "America/Denver America/Edmonton America/Boise US/Mountain MST7MDT"},
    {"US Mountain" S,             "America/Phoenix US/Arizona MST"},
    {"Central" SD,                "America/Chicago America/Winnipeg US/Central Canada/Central CST6CDT"},
    {"Mexico" S,                  "America/Mexico_City America/Monterrey"},
    {"Canada Central" S,          "America/Regina America/Guatemala America/Costa_Rica America/El_Salvador"},
    {"SA Pacific" S,              "America/Bogota America/Lima America/Guayaquil America/Panama America/Jamaica"},
    {"Eastern" SD,                "America/New_York America/Toronto America/Detroit America/Montreal US/Eastern Canada/Eastern EST5EDT"},
    {"US Eastern" S,              "America/Indiana/Indianapolis America/Indianapolis EST"},
    {"Atlantic" SD,               "America/Halifax Atlantic/Bermuda Canada/Atlantic"},
    {"SA Western" S,              "America/Caracas America/La_Paz America/Puerto_Rico America/Santo_Domingo America/Manaus"},
    {"Pacific SA" S,              "America/Santiago"},
    {"Newfoundland" SD,           "America/St_Johns"},
    {"E. South America" SD,       "America/Sao_Paulo"},
    {"SA Eastern" S,              "America/Argentina/Buenos_Aires America/Buenos_Aires America/Montevideo America/Cayenne"},
    {"Mid-Atlantic" SD,           "Atlantic/South_Georgia America/Noronha"},
    {"Azores" SD,                 "Atlantic/Azores Atlantic/Cape_Verde"},
    {"GMT" SD,                    "Europe/London Europe/Dublin Europe/Lisbon Atlantic/Madeira Atlantic/Canary Atlantic/Faroe GB"},
    {"Greenwich" S,               "UTC Etc/UTC Etc/GMT GMT Africa/Accra Africa/Abidjan Africa/Dakar Africa/Casablanca Atlantic/Reykjavik"},
    {"W. Europe" SD,              "Europe/Berlin Europe/Rome Europe/Vienna Europe/Zurich Europe/Amsterdam Europe/Stockholm Europe/Oslo "
                                  "Europe/Luxembourg Europe/Malta Europe/Vaduz Europe/Busingen Europe/Monaco Europe/San_Marino CET MET"},
    {"Central Europe" SD,         "Europe/Prague Europe/Budapest Europe/Belgrade Europe/Bratislava Europe/Ljubljana Europe/Warsaw "
                                  "Europe/Zagreb Europe/Sarajevo Europe/Skopje Europe/Podgorica Europe/Tirane"},
    {"Romance" SD,                "Europe/Paris Europe/Brussels Europe/Madrid Europe/Copenhagen Africa/Algiers Africa/Tunis"},
    {"GTB" SD,                    "Europe/Athens Europe/Istanbul Europe/Bucharest Asia/Nicosia Turkey"},
    {"Egypt" SD,                  "Africa/Cairo"},
    {"E. Europe" SD,              "Europe/Helsinki Europe/Kiev Europe/Kyiv Europe/Riga Europe/Tallinn Europe/Vilnius Europe/Sofia "
                                  "Europe/Chisinau Asia/Beirut EET"},
    {"South Africa" S,            "Africa/Johannesburg Africa/Harare Africa/Maputo Africa/Lusaka Africa/Kigali Africa/Tripoli"},
    {"Jerusalem" SD,              "Asia/Jerusalem Asia/Tel_Aviv Israel"},
    {"Saudi Arabia" S,            "Asia/Riyadh Asia/Kuwait Asia/Baghdad Asia/Qatar Asia/Bahrain Africa/Nairobi Africa/Addis_Ababa"},
    {"Russian" SD,                "Europe/Moscow Europe/Minsk Europe/Volgograd"},
    {"Iran" SD,                   "Asia/Tehran Iran"},
    {"Caucasus" SD,               "Asia/Yerevan Asia/Baku Asia/Tbilisi Europe/Samara"},
    {"Arabian" S,                 "Asia/Dubai Asia/Muscat Indian/Mauritius"},
    {"Afghanistan" S,             "Asia/Kabul"},
    {"West Asia" S,               "Asia/Karachi Asia/Tashkent Asia/Ashgabat"},
    {"Ekaterinburg" S,            "Asia/Yekaterinburg"},
    {"India" S,                   "Asia/Kolkata Asia/Calcutta Asia/Colombo"},
    {"Central Asia" S,            "Asia/Almaty Asia/Dhaka Asia/Omsk Asia/Thimphu"},
    {"SE Asia" S,                 "Asia/Bangkok Asia/Ho_Chi_Minh Asia/Saigon Asia/Jakarta Asia/Novosibirsk Asia/Krasnoyarsk"},
    {"China" SD,                  "Asia/Shanghai Asia/Hong_Kong Asia/Macau Asia/Chongqing Asia/Singapore Asia/Kuala_Lumpur Asia/Manila "
                                  "Australia/Perth Asia/Irkutsk PRC Hongkong Singapore"},
    {"Taipei" S,                  "Asia/Taipei ROC"},
    {"Tokyo" S,                   "Asia/Tokyo Asia/Seoul Asia/Yakutsk Japan ROK"},
    {"Cen. Australia" SD,         "Australia/Adelaide Australia/Broken_Hill"},
    {"AUS Central" S,             "Australia/Darwin"},
    {"E. Australia" S,            "Australia/Brisbane Australia/Lindeman"},
    {"AUS Eastern" SD,            "Australia/Sydney Australia/Melbourne Australia/Canberra"},
    {"West Pacific" S,            "Pacific/Guam Pacific/Port_Moresby Asia/Vladivostok"},
    {"Tasmania" SD,               "Australia/Hobart"},
    {"Central Pacific" S,         "Pacific/Guadalcanal Pacific/Noumea Asia/Magadan"},
    {"Fiji" S,                    "Pacific/Fiji Pacific/Majuro Asia/Kamchatka"},
    {"New Zealand" SD,            "Pacific/Auckland Antarctica/McMurdo NZ"},
};

const char *date_template(const struct datetime *d, char to[static DATE_TEMPLATE_MAX])
{
    const char *format = d ? names_print(date_formats, d->format) : NULL;
    const char *separator = d ? names_print(date_separators, d->separator) : NULL;
    size_t n = 0;

    for (const char *at = format ? format : "MDY"; *at; at++) {
        if (!strchr("DMY", *at) || n >= 5 || (n && to[n - 1] == *at))
            continue;
        if (n)
            to[n++] = separator ? separator[0] : '/';
        to[n++] = *at;
    }
    if (d && !d->clock_24h)
        to[n++] = 'A';
    to[n] = '\0';
    return to;
}

static bool has_word(const char *words, struct text word)
{
    struct text rest = text_of(words);

    while (rest.at) {
        if (text_equal_nocase(text_split(&rest, ' '), word))
            return true;
    }
    return false;
}

const char *time_zone_of_phones(struct text iana)
{
    for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
        if (text_equal(iana, text_of(zones[i].name)) || has_word(zones[i].iana, iana))
            return zones[i].name;
    }
    return "GMT" SD;
}
