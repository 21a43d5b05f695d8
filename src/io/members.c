#include "io/members.h"
#include "base/memory.h"
#include <string.h>

struct expansion {
  struct dun_members *members;
  const struct dun_input *input;
  struct dun_complaints *complaints;
};

#define COMPLAIN(e, line_, ...)                                                                    \
  (dun_complain((e)->complaints, (e)->input, line_, 1, __VA_ARGS__), -1)

/* ---- values -------------------------------------------------------------------------------- */

static void add_scalar(struct dun_text *text, const struct dun_node *node)
{
  const char *raw = node->text ? node->text : "";
  if (!node->quoted && !strpbrk(raw, ",[]{}#:&*!|>'\"%@`")) {
    dun_text_add(text, "%s", raw);
    return;
  }
  dun_text_add(text, "\"");
  dun_text_add_json(text, raw);
  dun_text_add(text, "\"");
}

/* In flow style; a label is no option. */
static void add_node(struct dun_text *text, const struct dun_node *node, int is_top)
{
  int is_map = node->kind == DUN_NODE_MAP, written = 0;
  if (node->kind == DUN_NODE_SCALAR) {
    add_scalar(text, node);
    return;
  }
  dun_text_add(text, is_map ? "{" : "[");
  for (int i = 0; i < node->count; i++) {
    if (is_map && is_top && !strcmp(node->key[i], "label"))
      continue;
    dun_text_add(text, written++ ? ", " : "");
    if (is_map)
      dun_text_add(text, "%s: ", node->key[i]);
    add_node(text, &node->child[i], 0);
  }
  dun_text_add(text, is_map ? "}" : "]");
}

/* As the input has it, but for quotes. */
static void add_label(struct dun_text *text, const struct dun_node *node)
{
  if (node->kind == DUN_NODE_SCALAR)
    dun_text_add(text, "%s", node->text && *node->text ? node->text : "\"\"");
  else
    add_node(text, node, 0);
}

static int add_value(struct expansion *e, struct dun_varied *option, const struct dun_node *node)
{
  const struct dun_node *label = dun_node_find(node, "label");
  struct dun_text value = {0}, name = {0};
  int code = 0;
  if (node->kind == DUN_NODE_MAP && (!label || label->kind != DUN_NODE_SCALAR || !*label->text))
    code = COMPLAIN(e, node->line, "sweep.%s: a mapping among the values needs a label: ...",
                    option->path);
  add_node(&value, node, 1);
  if (code == 0)
    add_label(&name, label ? label : node);
  for (int i = 0; i < option->count && code == 0 && !option->follows; i++)
    if (name.text && !strcmp(option->label[i], name.text))
      code = COMPLAIN(e, node->line, "sweep.%s: found %s twice, expected each value once",
                      option->path, name.text);
  for (int i = 0; i < option->count && code == 0 && !option->follows; i++)
    if (value.text && !strcmp(option->value[i], value.text))
      code = COMPLAIN(e, node->line, "sweep.%s: %s and %s are the same", option->path,
                      option->label[i], name.text ? name.text : "");
  if (code == 0 && (!value.text || !name.text))
    code = COMPLAIN(e, node->line, "sweep.%s: found an empty value", option->path);
  if (code < 0) {
    dun_text_free(&value);
    dun_text_free(&name);
    return code;
  }
  option->at[option->count] = node->line;
  option->value[option->count] = value.text;
  option->label[option->count++] = name.text;
  return 0;
}

static int reserve(struct expansion *e, struct dun_varied *option, long long count)
{
  option->value = dun_allocate(count, sizeof *option->value);
  option->label = dun_allocate(count, sizeof *option->label);
  option->at = dun_allocate(count, sizeof *option->at);
  return option->value && option->label && option->at
             ? 0
             : COMPLAIN(e, option->line, "no memory for the sweep");
}

static int add_list(struct expansion *e, struct dun_varied *option, const struct dun_node *list)
{
  int code = 0;
  if (list->count == 0)
    return COMPLAIN(e, option->line, "sweep.%s: found an empty list, expected values",
                    option->path);
  if (reserve(e, option, list->count) < 0)
    return -1;
  for (int i = 0; i < list->count; i++)
    if (add_value(e, option, &list->child[i]) < 0)
      code = -1;
  return code;
}

static int whole(const struct dun_node *range, const char *key, long long *value)
{
  const struct dun_node *node = dun_node_find(range, key);
  return node && node->kind == DUN_NODE_SCALAR ? dun_text_integer(node->text, value) : -1;
}

static int add_range(struct expansion *e, struct dun_varied *option, const struct dun_node *range)
{
  const long long far = 1LL << 60; /* differences stay whole numbers */
  long long from = 0, to = 0, step = 1;
  int given = range->kind == DUN_NODE_MAP && dun_node_find(range, "step");
  if (range->kind != DUN_NODE_MAP || range->count != 2 + given || whole(range, "from", &from) < 0 ||
      whole(range, "to", &to) < 0 || (given && whole(range, "step", &step) < 0) || step < 1 ||
      from > to || from < -far || to > far || (to - from) / step >= DUN_MAX_MEMBERS)
    return COMPLAIN(e, option->line,
                    "sweep.%s: expected a list of values, or a range {from: 1, to: 10, step: 1} of "
                    "at most %d rising whole numbers",
                    option->path, DUN_MAX_MEMBERS);
  if (reserve(e, option, (to - from) / step + 1) < 0)
    return -1;
  for (long long value = from; value <= to; value += step) {
    struct dun_text text = {0}, label = {0};
    dun_text_add(&text, "%lld", value);
    dun_text_add(&label, "%lld", value);
    option->at[option->count] = option->line;
    option->value[option->count] = text.text;
    option->label[option->count++] = label.text;
  }
  return 0;
}

/* ---- options ------------------------------------------------------------------------------- */

static const struct dun_varied *find(const struct dun_members *members, const char *path)
{
  for (int i = 0; i < members->varied; i++)
    if (!strcmp(members->option[i].path, path))
      return &members->option[i];
  return NULL;
}

/* Whether the first is the second or a section that holds it. */
static int overlaps(const char *section, const char *option)
{
  size_t length = strlen(section);
  return !strncmp(section, option, length) && (option[length] == '.' || !option[length]);
}

static int add_option(struct expansion *e, const struct dun_node *map, int i, int follows)
{
  struct dun_members *members = e->members;
  struct dun_varied *option = &members->option[members->varied];
  const struct dun_node *values = &map->child[i];
  int line = map->key_line[i];
  if (members->varied == DUN_MAX_VARIED)
    return COMPLAIN(e, line, "sweep: at most %d options can be varied", DUN_MAX_VARIED);
  for (int k = 0; k < members->varied; k++) {
    const char *before = members->option[k].path;
    if (!strcmp(before, map->key[i]))
      return COMPLAIN(e, line, "sweep.%s: is varied already", before);
    if (overlaps(map->key[i], before))
      return COMPLAIN(e, line,
                      "sweep.%s: would take back sweep.%s: name the section first, and "
                      "what is varied in it behind",
                      map->key[i], before);
  }
  if (overlaps("output", map->key[i]) || overlaps("sweep", map->key[i]) ||
      overlaps("run.time_limit", map->key[i]))
    return COMPLAIN(e, line, "sweep.%s: it decides no number of a result and cannot be varied",
                    map->key[i]);
  *option = (struct dun_varied){
      .path = map->key[i], .line = line, .axis = members->axes, .follows = follows};
  members->varied++;
  return values->kind == DUN_NODE_LIST ? add_list(e, option, values) : add_range(e, option, values);
}

static int add_axis(struct expansion *e, const struct dun_node *map, int from, int to)
{
  struct dun_members *members = e->members;
  int first = members->varied, code = 0;
  for (int i = from; i < to; i++)
    if (add_option(e, map, i, i > from) < 0)
      code = -1;
  for (int i = first + 1; i < members->varied && code == 0; i++)
    if (members->option[i].count != members->option[first].count)
      code = COMPLAIN(e, members->option[i].line,
                      "sweep.together: found %d values of %s and %d of %s, expected as many",
                      members->option[i].count, members->option[i].path,
                      members->option[first].count, members->option[first].path);
  if (code == 0)
    members->length[members->axes++] = members->option[first].count;
  return code;
}

static int add_together(struct expansion *e, const struct dun_node *list, int line)
{
  int code = 0;
  if (list->kind != DUN_NODE_LIST || list->count == 0)
    return COMPLAIN(e, line,
                    "sweep.together: expected a list of mappings, options of one mapping "
                    "going in step");
  for (int i = 0; i < list->count; i++) {
    const struct dun_node *map = &list->child[i];
    if (map->kind != DUN_NODE_MAP || map->count == 0)
      code =
          COMPLAIN(e, map->line, "sweep.together: expected a mapping of options to their values");
    else if (add_axis(e, map, 0, map->count) < 0)
      code = -1;
  }
  return code;
}

/* ---- what is left out ---------------------------------------------------------------------- */

static int is_value(const struct dun_varied *option, const struct dun_node *node)
{
  for (int i = 0; i < option->count && node->kind == DUN_NODE_SCALAR; i++)
    if (!strcmp(option->label[i], node->text))
      return 1;
  return 0;
}

static int check_condition(struct expansion *e, const struct dun_node *map, int i)
{
  const struct dun_varied *option = find(e->members, map->key[i]);
  const struct dun_node *node = &map->child[i];
  char found[DUN_DESCRIPTION];
  int code = 0, is_list = node->kind == DUN_NODE_LIST;
  if (!option)
    return COMPLAIN(e, map->key_line[i], "sweep.when: found %s, expected an option that is varied",
                    dun_quote(map->key[i], found));
  for (int k = 0; k < (is_list ? node->count : 1); k++) {
    const struct dun_node *value = is_list ? &node->child[k] : node;
    if (!is_value(option, value))
      code = COMPLAIN(e, value->line, "sweep.when: %s: found %s, expected one of its values",
                      option->path, dun_node_describe(value, found));
  }
  return code;
}

static int check_when(struct expansion *e, const struct dun_node *list)
{
  int code = 0;
  if (list && list->kind != DUN_NODE_LIST)
    return COMPLAIN(e, list->line, "sweep.when: expected a list of mappings");
  for (int i = 0; list && i < list->count; i++) {
    const struct dun_node *map = &list->child[i];
    if (map->kind != DUN_NODE_MAP || map->count == 0)
      code = COMPLAIN(e, map->line, "sweep.when: expected a mapping of varied options to values");
    for (int k = 0; map->kind == DUN_NODE_MAP && k < map->count; k++)
      if (check_condition(e, map, k) < 0)
        code = -1;
  }
  return code;
}

static int value_at(const struct dun_members *members, int option, int number)
{
  int axis = members->option[option].axis;
  for (int i = members->axes - 1; i > axis; i--)
    number /= members->length[i];
  return number % members->length[axis];
}

static int matches(const struct dun_members *members, const struct dun_node *map, int number)
{
  for (int i = 0; i < map->count; i++) {
    const struct dun_varied *option = find(members, map->key[i]);
    const char *label = option->label[value_at(members, (int)(option - members->option), number)];
    const struct dun_node *node = &map->child[i];
    int is_list = node->kind == DUN_NODE_LIST, found = 0;
    for (int k = 0; k < (is_list ? node->count : 1); k++)
      found |= !strcmp(label, is_list ? node->child[k].text : node->text);
    if (!found)
      return 0;
  }
  return 1;
}

static int choose(struct expansion *e, const struct dun_node *when, int line)
{
  struct dun_members *members = e->members;
  long long all = 1;
  for (int i = 0; i < members->axes && all <= DUN_MAX_MEMBERS; i++)
    all *= members->length[i];
  if (all > DUN_MAX_MEMBERS)
    return COMPLAIN(e, line, "sweep: more than %d members", DUN_MAX_MEMBERS);
  if (!(members->number = dun_allocate(all, sizeof *members->number)))
    return COMPLAIN(e, line, "no memory for the sweep");
  for (int number = 0; number < all; number++) {
    int is_out = 0;
    for (int i = 0; when && i < when->count; i++)
      is_out |= matches(members, &when->child[i], number);
    if (!is_out)
      members->number[members->count++] = number;
  }
  return members->count ? 0 : COMPLAIN(e, line, "sweep.when: no member is left");
}

/* ---- the whole ----------------------------------------------------------------------------- */

int dun_members_expand(struct dun_members *members, const struct dun_input *input,
                       struct dun_complaints *complaints)
{
  struct expansion e = {members, input, complaints};
  const struct dun_node *sweep = dun_node_find(&input->root, "sweep");
  const struct dun_node *when = dun_node_find(sweep, "when");
  int code = 0;
  memset(members, 0, sizeof *members);
  if (!sweep || sweep->kind != DUN_NODE_MAP)
    return COMPLAIN(&e, sweep ? sweep->line : 1,
                    "sweep: expected a section that maps options to lists of their values");
  for (int i = 0; i < sweep->count; i++) {
    int answer = 0;
    if (!strcmp(sweep->key[i], "together"))
      answer = add_together(&e, &sweep->child[i], sweep->key_line[i]);
    else if (strcmp(sweep->key[i], "when") != 0)
      answer = add_axis(&e, sweep, i, i + 1);
    code = answer < 0 ? -1 : code;
  }
  if (code < 0 || check_when(&e, when) < 0)
    return -1;
  return members->axes ? choose(&e, when, sweep->line)
                       : COMPLAIN(&e, sweep->line, "sweep: nothing is varied");
}

int dun_members_value(const struct dun_members *members, int option, int member)
{
  return value_at(members, option, members->number[member]);
}

void dun_members_free(struct dun_members *members)
{
  for (int i = 0; i < members->varied; i++) {
    for (int k = 0; k < members->option[i].count; k++) {
      dun_free(members->option[i].value[k]);
      dun_free(members->option[i].label[k]);
    }
    DUN_FREE(members->option[i].value);
    DUN_FREE(members->option[i].label);
    DUN_FREE(members->option[i].at);
  }
  DUN_FREE(members->number);
  members->varied = members->count = 0;
}
