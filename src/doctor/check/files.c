/* files.c - configuration files, trust lists and loads: which of them there are, and what they
 * hold. */
#include "doctor/check/check.h"

static bool has(const struct story_file *f, const char *part)
{
    return text_contains_nocase(text_of(f->name), text_of(part));
}

static bool is_default_file(const struct story_file *f)
{
    return has(f, "XMLDefault") || has(f, "SEPDEFAULT") || has(f, "SEDDefault") ||
           has(f, "SIPDefault");
}

static bool is_own_config(const struct story_file *f)
{
    return has(f, ".cnf") && !is_default_file(f);
}

static bool is_trust_list(const struct story_file *f)
{
    return has(f, ".tlv");
}

/* ---- the phone is not known ---- */

static const struct story_file *missing(const struct story *s,
                                        bool (*is)(const struct story_file *))
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (is(&s->files[i]) && s->files[i].not_found.n && !s->files[i].whole.n &&
            s->files[i].state == FILE_NOT_FOUND)
            return &s->files[i];
    return NULL;
}

static bool came(const struct story *s, bool (*is)(const struct story_file *))
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (is(&s->files[i]) && s->files[i].whole.n)
            return true;
    return false;
}

static bool is_unknown(const struct scene *c, struct finding *f, bool strict)
{
    const struct story *s = c->story;
    const struct story_file *own = missing(s, is_own_config), *other = missing(s, is_default_file);

    if (!own || came(s, is_own_config) || came(s, is_default_file) ||
        registered_at(s).ns > own->not_found.first.ns)
        return false;
    if (!other &&
        (strict || (own->not_found.n < 2 && !settled(c, own->not_found.last, 20 * SECOND))))
        return false;
    detail(f, "%s", own->name);
    prove_spell(f, &own->not_found, "file not found: %s", own->name);
    if (other)
        prove_spell(f, &other->not_found, "file not found: %s", other->name);
    else
        doubt(f, APART_SERVER_LOG);
    return true;
}

/* Codes of TFTP (RFC 1350, RFC 2347) and of HTTP. */
static const char *refusal_words(const struct story_file *f)
{
    if (f->http)
        return f->code == 401 || f->code == 403 ? WORDS(" (forbidden)")
               : f->code >= 500                 ? WORDS(" (the server fails)")
                                                : "";
    return f->code == 2 ? WORDS(" (access violation)") : "";
}

static bool refused(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];
        struct moment last = file->not_found.last;

        if (file->state != FILE_REFUSED || !is_own_config(file) || came(s, is_own_config) ||
            (!file->http &&
             file->code == 8) || /* of the options only: it asks without (RFC 2347) */
            (file->not_found.n < 2 && !settled(c, last, 5 * SECOND)))
            continue;
        detail(f, "%s, %s error %u%s%s", file->name, file->http ? "HTTP" : "TFTP", file->code,
               refusal_words(file), files_all_the_same(s, last));
        prove(f, file->asked.first, "the phone asks for %s", file->name);
        prove_spell(f, &file->not_found, "%s is refused: error %u%s", file->name, file->code,
                    refusal_words(file));
        return true;
    }
    return false;
}

static bool unknown_phone(const struct scene *c, struct finding *f)
{
    return is_unknown(c, f, false);
}

static bool near_miss(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    char near[32] = "";

    if (!c->options->known || !s->name[0] ||
        (!is_unknown(c, f, false) && !(s->rejected.n && !s->accepted.n)) ||
        c->options->known(c->options->context, s->name, near) || !near[0])
        return false;
    f->certain = true;
    f->apart = APART_NONE;
    detail(f, "%s is unknown, %s is configured", s->name, near);
    prove(f, (struct moment){0}, "the directory has %s, which no phone in this capture is", near);
    return timeline_named(c->timeline, near) == NULL;
}

/* ---- contents ---- */

static const struct story_file *with_content(const struct story *s, enum file_content a,
                                             enum file_content b)
{
    for (unsigned i = 0; i < s->n_files; i++)
        if ((s->files[i].content == a || s->files[i].content == b) && !is_trust_list(&s->files[i]))
            return &s->files[i];
    return NULL;
}

static bool truncated(const struct scene *c, struct finding *f)
{
    const struct story_file *file = with_content(c->story, CONTENT_CUT, CONTENT_CUT);

    if (!file)
        return false;
    detail(f, "%s, %llu [byte|bytes]: %s", file->name, (unsigned long long)file->bytes,
           file->fault);
    prove_spell(f, &file->whole, "%s ends after %llu [byte|bytes], inside the document", file->name,
                (unsigned long long)file->bytes);
    return true;
}

static bool malformed(const struct scene *c, struct finding *f)
{
    const struct story_file *file = with_content(c->story, CONTENT_MALFORMED, CONTENT_MALFORMED);

    if (!file)
        return false;
    detail(f, "%s, %s", file->name, file->fault);
    prove_spell(f, &file->whole, "%s is not well-formed: %s", file->name, file->fault);
    return true;
}

static bool fetched_again(const struct story *s, const char *name)
{
    for (unsigned i = 0; i < s->n_files; i++)
        if (strcmp(s->files[i].name, name) == 0 && s->files[i].whole.n > 1)
            return true;
    return false;
}

static bool unusable(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct story_file *file = with_content(s, CONTENT_WRONG, CONTENT_EMPTY);
    const struct story_config *config = s->config;
    const char *lacks = NULL;

    if (file && !files_got_on(s, file->whole.last)) {
        detail(f, "%s: %s", file->name, file->fault);
        prove_spell(f, &file->whole, "%s: %s", file->name, file->fault);
        return true;
    }
    if (!config)
        return false;
    if (!config->n_servers && (!config->sip || config->managed))
        lacks = WORDS("no server");
    else if (config->sip && !config->n_lines && !config->is_default && !s->registers.n &&
             (settled(c, config->at, 10 * SECOND) || fetched_again(s, config->file)))
        lacks = WORDS("no line with a name");
    if (!lacks)
        return false;
    detail(f, "%s: %s", config->file, lacks);
    prove(f, config->at, "%s has %s", config->file, lacks);
    return true;
}

/* ---- loads ---- */

static bool is_firmware_part(const struct story_file *f)
{
    static const char *const ends[] = {".sbn", ".sb2", ".sb3", ".zup", ".zz", ".bin", ".sebn"};

    if (strchr(f->name, '/') || strchr(f->name, '\\'))
        return false;
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
        if (text_ends(text_of(f->name), ends[i]) || (i == 0 && text_ends(text_of(f->name), ".SBN")))
            return true;
    return false;
}

static bool is_load_list(const struct story_file *f)
{
    return has(f, ".loads");
}

bool is_firmware(const struct story_file *f)
{
    return is_load_list(f) || is_firmware_part(f);
}

static bool is_load_of(const struct story_file *f, const struct story_config *config)
{
    return config && config->has_load && text_starts_nocase(text_of(f->name), config->load);
}

static bool load_missing(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];

        if (!file->not_found.n || file->whole.n || is_own_config(file) ||
            !(is_load_list(file) || is_load_of(file, s->config)))
            continue;
        detail(f, "%s", file->name);
        if (is_load_of(file, s->config))
            prove(f, s->config->at, "%s names the load %s", s->config->file, s->config->load);
        prove_spell(f, &file->not_found, "file not found: %s", file->name);
        return true;
    }
    return false;
}

static bool load_part_missing(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];

        if (!file->not_found.n || file->whole.n || !is_firmware_part(file) ||
            is_load_of(file, s->config))
            continue;
        detail(f, "%s", file->name);
        for (unsigned k = 0; k < s->n_files; k++)
            if (is_load_list(&s->files[k]) && s->files[k].whole.n)
                prove(f, s->files[k].whole.last, "%s was fetched: the list of its parts",
                      s->files[k].name);
        prove_spell(f, &file->not_found, "file not found: %s", file->name);
        return true;
    }
    return false;
}

static bool load_loop(const struct scene *c, struct finding *f)
{
    for (unsigned i = 0; i < c->story->n_files; i++) {
        const struct story_file *file = &c->story->files[i];

        if ((!is_load_list(file) && !is_firmware_part(file)) || file->whole.n < 3)
            continue;
        detail(f, "%s, %u [time|times]", file->name, file->whole.n);
        prove_spell(f, &file->whole, "%s fetched whole", file->name);
        return true;
    }
    return false;
}

/* ---- trust ---- */

static bool trust_old(const struct scene *c, struct finding *f)
{
    const struct story *s = c->story;
    const struct story_file *signed_one = NULL;

    for (unsigned i = 0; i < s->n_files; i++) {
        const struct story_file *file = &s->files[i];

        if (!has(file, ".cnf"))
            continue;
        if (!has(file, ".sgn"))
            return false; /* it takes unsigned ones */
        if (is_own_config(file))
            signed_one = file;
    }
    if (!signed_one || signed_one->asked.n < 2 ||
        registered_at(s).ns > signed_one->asked.first.ns || s->registers.n ||
        (!signed_one->not_found.n && !signed_one->whole.n))
        return false;
    detail(f, "%s", signed_one->name);
    prove_spell(f, &signed_one->asked, "the phone asks for %s and for no unsigned file",
                signed_one->name);
    if (signed_one->whole.n)
        prove_spell(f, &signed_one->whole, "it gets the file, and does nothing with it");
    else
        prove_spell(f, &signed_one->not_found, "file not found: the server signs no files");
    return true;
}

const struct rule files_rules[] = {
    {CAUSE_FILE_REFUSED, refused},
    {CAUSE_FILES_UNKNOWN_PHONE, unknown_phone},
    {CAUSE_FILES_NEAR_MISS, near_miss},
    {CAUSE_FILE_TRUNCATED, truncated},
    {CAUSE_FILE_MALFORMED, malformed},
    {CAUSE_FILE_UNUSABLE, unusable},
    {CAUSE_LOAD_MISSING, load_missing},
    {CAUSE_LOAD_PART_MISSING, load_part_missing},
    {CAUSE_LOAD_LOOP, load_loop},
    {CAUSE_TRUST_OLD, trust_old},
    {0},
};
