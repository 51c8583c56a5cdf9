/* manual.c - manual pages from the same tables that parse: they cannot say anything else. */
#include <errno.h>

#include "cli/commands.h"
#include "cli/fields.h"

/* Text for troff: a backslash, and a dot or quote that begins a line, mean something there. */
static void roff(struct grow *g, const char *text)
{
    if (*text == '.' || *text == '\'')
        grow_string(g, "\\&");
    for (; *text; text++) {
        if (*text == '\\')
            grow_string(g, "\\e");
        else if (*text == '-')
            grow_string(g, "\\-");
        else if (*text == '\'')
            grow_string(g, "\\(aq");
        else
            grow_text(g, (struct text){text, 1});
    }
}

static void line(struct grow *g, const char *macro, const char *text)
{
    grow_string(g, macro);
    roff(g, text);
    grow_string(g, "\n");
}

static void item(struct grow *g, const char *word, const char *argument)
{
    grow_string(g, ".TP\n.B ");
    roff(g, word);
    if (argument[0]) {
        grow_string(g, " ");
        roff(g, argument);
    }
    grow_string(g, "\n");
}

static void command_items(struct grow *g, const struct noun_row *n)
{
    for (const struct command *c = NULL; (c = command_next(n, c));) {
        struct grow words = {0};

        help_synopsis(&words, n, c);
        item(g, words.at ? words.at : "", "");
        grow_done(&words);
        help_text(&words, c->help, n);
        line(g, "", words.at ? words.at : "");
        grow_done(&words);
        if (c->options[0]) {
            struct text rest = text_of(c->options);

            grow_string(g, ".br\nOptions:");
            while (rest.at)
                grow_format(g, " \\fB\\-\\-%.*s\\fR", TEXT_ARG(text_split(&rest, ' ')));
            grow_string(g, "\n");
        }
        if (c->example[0]) {
            grow_string(g, ".br\nExample: ");
            help_text(&words, c->example, n);
            roff(g, words.at ? words.at : "");
            grow_string(g, "\n");
            grow_done(&words);
        }
    }
}

static void field_items(struct grow *g, const struct noun_row *n)
{
    bool any = false;

    for (const struct directory_field *f = NULL; (f = field_next(n->noun, f)); any = true) {
        struct grow words = {0};

        if (!any)
            grow_string(g, ".PP\nFields:\n.RS\n");
        item(g, f->name, "");
        field_help(&words, f);
        line(g, "", words.at ? words.at : "");
        grow_done(&words);
    }
    grow_string(g, any ? ".RE\n" : "");
}

static void dialtone_1(struct grow *g)
{
    grow_string(
        g,
        ".\\\" Made from the table of commands: dialtone manual dialtone.1\n"
        ".TH DIALTONE 1 \"\" \"dialtone " DIALTONE_VERSION "\" \"User Commands\"\n"
        ".SH NAME\n"
        "dialtone \\- everything an IP phone needs between the network cable and the dial tone\n"
        ".SH SYNOPSIS\n"
        ".B dialtone\n.I PROGRAM\n.RI [ OPTION ...]\n.br\n"
        ".B dialtone\n.I NOUN\n.RI [ VERB ]\n.RI [ NAME ]\n.RI [ FIELD=VALUE ...]\n.RI [ OPTION "
        "...]\n"
        ".SH DESCRIPTION\n"
        "The first word is a program, or what is to be administered. Administration talks to the\n"
        "running server over the socket\n.I control.sock\nin its data folder.\n"
        ".SH PROGRAMS\n");
    for (const struct program_row *p = program_rows; p->name; p++) {
        item(g, p->name, "");
        line(g, "", p->help);
    }
    grow_string(g, ".SH OPTIONS\n");
    for (const struct option_row *o = option_rows; o->name; o++) {
        grow_string(g, ".TP\n\\fB\\-\\-");
        roff(g, o->name);
        grow_format(g, "\\fR%s", o->argument ? " \\fI" : "");
        roff(g, o->argument ? o->argument : "");
        grow_string(g, o->argument ? "\\fR\n" : "\n");
        line(g, "", o->help);
    }
    grow_string(g, ".SH COMMANDS\n");
    for (const struct noun_row *n = noun_rows; n->noun; n++) {
        line(g, ".SS ", n->noun);
        line(g, "", n->help);
        command_items(g, n);
        field_items(g, n);
    }
    grow_string(
        g,
        ".SH EXIT STATUS\n"
        ".TP\n.B 0\ndone\n.TP\n.B 1\nrefused or not found; standard error says why\n"
        ".TP\n.B 2\nwrong usage\n.TP\n.B 3\nno server runs on this data folder\n"
        ".SH FILES\n"
        ".TP\n.I ./data, /var/lib/dialtone\ndata folder: database, leases, firmware, control.sock\n"
        ".SH SEE ALSO\n"
        ".BR dialtone\\-serve (8),\n.BR dialtone.conf (5)\n");
}

struct boot_row {
    const char *key, *value, *help;
};

static const struct boot_row boot_rows[] = {
#define BOOT_STR(key, field, value, help)           {key, value, help},
#define BOOT_NUM(key, field, value, min, max, help) {key, #value, help},
#include "server/bootstrap.def"
#undef BOOT_STR
#undef BOOT_NUM
};

static void settings(struct grow *g)
{
    for (size_t i = 0; i < sizeof(boot_rows) / sizeof(*boot_rows); i++) {
        item(g, boot_rows[i].key, "");
        line(g, "", boot_rows[i].help);
        if (boot_rows[i].value[0]) {
            grow_string(g, "(default ");
            roff(g, boot_rows[i].value);
            grow_string(g, ")\n");
        }
    }
}

static void dialtone_conf_5(struct grow *g)
{
    grow_string(
        g, ".\\\" Made from the table of settings: dialtone manual dialtone.conf.5\n"
           ".TH DIALTONE.CONF 5 \"\" \"dialtone " DIALTONE_VERSION "\" \"File Formats\"\n"
           ".SH NAME\n"
           "dialtone.conf \\- the few settings that the server needs before its database is open\n"
           ".SH DESCRIPTION\n"
           "Lines of\n.I key = value\nas in an INI file; the part of a key before the dot may "
           "stand as a section:\n"
           ".PP\n.EX\n[sccp]\nport = 2000\n.EE\n.PP\n"
           "A line that begins with ; or # is a comment. A key that is not known is refused. What "
           "is given\n"
           "with\n.B \\-\\-set\non the command line beats the file. Some keys may change while the "
           "server runs\n(\n.B dialtone config set\n): they are kept in\n.I settings.conf\nof the data "
           "folder, which both beat. Everything else is kept in the database:\n"
           "see\n.B dialtone parameter\nin\n.BR dialtone (1).\n"
           ".SH KEYS\n");
    settings(g);
    grow_string(g, ".SH EXAMPLE\n.EX\n[dhcp]\ninterfaces = eth1\n\n[cdp]\ninterfaces = "
                   "eth1\nvoice_vlan = 20\n.EE\n"
                   ".SH SEE ALSO\n.BR dialtone (1),\n.BR dialtone\\-serve (8)\n");
}

static const struct boot_row service_rows[] = {
#define SERVICE(id, name, thread, help) {#id, name, help},
#include "server/services.def"
#undef SERVICE
};

static void dialtone_serve_8(struct grow *g)
{
    grow_string(
        g,
        ".\\\" Made from the tables of settings and services: dialtone manual dialtone-serve.8\n"
        ".TH DIALTONE\\-SERVE 8 \"\" \"dialtone " DIALTONE_VERSION "\" \"System Administration\"\n"
        ".SH NAME\n"
        "dialtone\\-serve \\- give IP phones addresses, files and registration\n"
        ".SH SYNOPSIS\n"
        ".B dialtone serve\n[\\fB\\-\\-data\\fR \\fIDIR\\fR] [\\fB\\-\\-config\\fR \\fIFILE\\fR]\n"
        "[\\fB\\-\\-set\\fR \\fIKEY=VALUE\\fR ...]\n"
        ".SH DESCRIPTION\n"
        "Runs until it is told to stop (SIGTERM, SIGINT). Without a configuration file everything "
        "has a\n"
        "default; DHCP, CDP and LLDP are off until an interface is named. A port that cannot be "
        "bound stops\n"
        "that service alone; the message names who holds the port. Started as root, it becomes the "
        "user of\n"
        "the key run.user and keeps only the capabilities it needs.\n"
        ".SH OPTIONS\n"
        ".TP\n\\fB\\-\\-data\\fR \\fIDIR\\fR\nwhere the database lives; default ./data when it "
        "exists, else\n"
        "/var/lib/dialtone when that exists, else ./data, which is made\n"
        ".TP\n\\fB\\-\\-config\\fR \\fIFILE\\fR\nsettings, see\n.BR dialtone.conf (5)\n"
        ".TP\n\\fB\\-\\-set\\fR \\fIKEY=VALUE\\fR\none setting; beats the file\n"
        ".SH SERVICES\n");
    for (size_t i = 0; i < sizeof(service_rows) / sizeof(*service_rows); i++) {
        item(g, service_rows[i].value, "");
        line(g, "", service_rows[i].help);
    }
    grow_string(
        g,
        ".SH FILES\n"
        ".TP\n.I control.sock\nin the data folder: how\n.BR dialtone (1)\nreaches the server\n"
        ".TP\n.I events.log\nin the data folder: alarms in the syslog form, rotated\n"
        ".TP\n.I files\nin the data folder: firmware, rings, backgrounds: what phones may fetch\n"
        ".SH SEE ALSO\n.BR dialtone (1),\n.BR dialtone.conf (5)\n");
}

int manual_page(struct text page, struct grow *g)
{
    if (text_is(page, "dialtone.1"))
        dialtone_1(g);
    else if (text_is(page, "dialtone-serve.8"))
        dialtone_serve_8(g);
    else if (text_is(page, "dialtone.conf.5"))
        dialtone_conf_5(g);
    else
        return -ENOENT;
    return 0;
}
