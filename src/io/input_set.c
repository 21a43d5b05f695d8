/* Assignments of the command line: --set section.option=value. */
#include "io/input.h"
#include <stdlib.h>
#include <string.h>

enum { MAXIMUM_PATH = 512 };

static struct dun_node *map_child(struct dun_node *map, const char *key)
{
  for (int i = 0; i < map->count; i++)
    if (!strcmp(map->key[i], key))
      return &map->child[i];
  return NULL;
}

/* "section:" without a value, or a node just made, becomes what the path needs it to be. */
static int is_empty(const struct dun_node *node)
{
  return node->kind == DUN_NODE_SCALAR && !node->quoted && (!node->text || !*node->text);
}

static struct dun_node *step_map(struct dun_node *node, char **rest, int line)
{
  char *key = *rest, *dot = strchr(key, '.');
  if (dot)
    *dot = 0;
  *rest = dot ? dot + 1 : NULL;
  struct dun_node *child = map_child(node, key);
  return child ? child : dun_node_add(node, key, line, 1);
}

/* NULL with *number = -1 if the path has no number here, else with the number that is too large. */
static struct dun_node *step_list(struct dun_node *node, char **rest, int line, long *number)
{
  char *dot = strchr(*rest, '.'), *end;
  if (dot)
    *dot = 0;
  *number = **rest >= '0' && **rest <= '9' && strlen(*rest) < 9 ? strtol(*rest, &end, 10) : -1;
  if (*number >= 0 && *end)
    *number = -1;
  *rest = dot ? dot + 1 : NULL;
  if (*number < 0 || *number > node->count)
    return NULL;
  return *number < node->count ? &node->child[*number] : dun_node_add(node, NULL, line, 1);
}

/* The node that the path leads to, made on the way if need be; NULL after a complaint. */
static struct dun_node *walk(struct dun_input *input, const char *path, int line,
                             struct dun_complaints *complaints)
{
  char copy[MAXIMUM_PATH], found[DUN_DESCRIPTION];
  char *rest = copy;
  struct dun_node *node = &input->root;
  strcpy(copy, path);
  while (rest) {
    long number = 0;
    struct dun_node *next;
    if (is_empty(node)) {
      dun_node_free(node);
      node->kind = DUN_NODE_MAP;
    }
    if (!*rest || *rest == '.') {
      dun_complain(complaints, input, line, 1, "%s: found an empty name, expected section.option",
                   path);
      return NULL;
    }
    if (node->kind == DUN_NODE_SCALAR) {
      dun_complain(complaints, input, line, 1, "%s: '%s' is looked for in %s, which is no mapping",
                   path, rest, dun_node_describe(node, found));
      return NULL;
    }
    next = node->kind == DUN_NODE_MAP ? step_map(node, &rest, line)
                                      : step_list(node, &rest, line, &number);
    if (!next && node->kind == DUN_NODE_LIST && (number < 0 || number > node->count))
      dun_complain(complaints, input, line, 1,
                   "%s: expected the number of an element from 0 to %d in a list of %d", path,
                   node->count, node->count);
    else if (!next)
      dun_complain(complaints, input, line, 1, "no memory left");
    if (!next)
      return NULL;
    node = next;
  }
  return node;
}

int dun_input_set(struct dun_input *input, const char *assignment,
                  struct dun_complaints *complaints)
{
  return dun_input_set_at(input, assignment, 0, complaints);
}

int dun_input_set_at(struct dun_input *input, const char *assignment, int line,
                     struct dun_complaints *complaints)
{
  char path[MAXIMUM_PATH], quoted[DUN_DESCRIPTION];
  const char *equals = strchr(assignment, '=');
  size_t length = equals ? (size_t)(equals - assignment) : 0;
  struct dun_node value, *place;
  if (!length || length >= sizeof path) {
    dun_complain(complaints, input, line, 1, "found %s, expected section.option=value",
                 dun_quote(assignment, quoted));
    return -1;
  }
  memcpy(path, assignment, length);
  path[length] = 0;
  if (dun_node_parse(&value, input, path, equals + 1, line, complaints) < 0)
    return -1;
  place = walk(input, path, line, complaints);
  if (!place) {
    dun_node_free(&value);
    return -1;
  }
  dun_node_free(place);
  *place = value;
  return 0;
}
