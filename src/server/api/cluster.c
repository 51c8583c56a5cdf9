/* cluster.c - nodes of the cluster: who is there, join, leave, drain. */
#include "server/api/lists.h"

void api_node_list(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_NODE_LIST, json_object(), NULL, NULL);
}

/* A node is a server and its CallManager, as phones are told of them. */
void api_node_join(struct admin *a, const struct call *c)
{
    struct text server = call_text(json_object_get(c->fields, "server"));
    struct text name = text_of(c->name);
    bool is_there = directory_find(a->thread->directory, ENTITY_callmanager, name);
    struct change *change;
    json_t *answer;

    if (!server.len && !is_there) {
        admin_refuse(a, c->who,
                     "Say where it is: dialtone node join %s server=ADDRESS", c->name);
        return;
    }
    change = change_new();
    if (server.len)
        change_put(change, ENTITY_server_node, server);
    change_put(change, ENTITY_callmanager, name);
    change_fields(change, c->fields);
    answer = done_answer(is_there ? "changed:" : "added:", ENTITY_callmanager, name);
    if (!call_text(json_object_get(c->fields, "fingerprint")).len)
        note(answer, "Its certificates must come from the authority of this node, or their "
                     "fingerprint be given: \"dialtone node token\" there says what to type here.");
    note_server(a, answer, server);
    note(answer, "Put it into a group so that phones learn of it: dialtone group set Default "
                 "members=…");
    note(answer, "The databases of the nodes must be equal: do the same there, or export and "
                 "import. Each node links to the others when it was started with "
                 "cluster.servers.");
    admin_change(a, c->who, change, answer);
}

void api_node_leave(struct admin *a, const struct call *c)
{
    const struct callmanager *row =
        directory_find(a->thread->directory, ENTITY_callmanager, text_of(c->name));
    struct change *change;

    if (!row) {
        refuse_missing(a, c, ENTITY_callmanager, text_of(c->name));
        return;
    }
    change = change_new();
    change_delete(change, ENTITY_callmanager, text_of(row->name));
    admin_change(a, c->who, change, done_answer("deleted:", ENTITY_callmanager, text_of(row->name)));
}

void api_node_drain(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_NODE_DRAIN, json_pack("{s:b, s:b}", "on", 1, "force",
                        json_is_true(json_object_get(c->options, "force"))), NULL, NULL);
}

void api_node_resume(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_NODE_DRAIN, json_pack("{s:b}", "on", 0), NULL, NULL);
}

void api_node_token(struct admin *a, const struct call *c)
{
    admin_ask(a, c->who, REQUEST_NODE_TOKEN, json_object(), NULL, NULL);
}
