/* Input files as trees: what is read, what is refused in which words, and that nothing crashes. */
#include "base/memory.h"
#include "base/random.h"
#include "check.h"
#include "io/input.h"

struct parsed {
  struct dun_input input;
  struct dun_complaints complaints;
  int status;
};

static struct parsed parse_bytes(const char *bytes, size_t size)
{
  struct parsed p = {0};
  p.status = dun_input_parse(&p.input, "run.yaml", bytes, (int64_t)size, &p.complaints);
  return p;
}

static struct parsed parse(const char *text)
{
  return parse_bytes(text, strlen(text));
}

static void done(struct parsed *p)
{
  dun_input_free(&p->input);
  dun_complaints_free(&p->complaints);
}

/* The text must be among the complaints; 1 if it is. */
static int says(const struct parsed *p, const char *expected)
{
  const char *text = p->complaints.text.text ? p->complaints.text.text : "";
  if (strstr(text, expected))
    return 1;
  fprintf(stderr, "expected: %s\nfound:    %s\n", expected, text);
  return 0;
}

static void test_tree(void)
{
  struct parsed p = parse("# a comment\n"
                          "run: {seed: 7, particles: 65_536}\n"
                          "target:\n"
                          "  type: 'gaussian'\n"
                          "  weights: [0.2,\n"
                          "            0.8]\n"
                          "finish: []\n"
                          "empty:\n");
  const struct dun_node *target = dun_node_find(&p.input.root, "target");
  const struct dun_node *type = dun_node_find(target, "type");
  const struct dun_node *weights = dun_node_find(target, "weights");
  CHECK(p.status == 0 && p.complaints.count == 0);
  CHECK(p.input.root.count == 4 && target && type && weights);
  CHECK(!strcmp(type->text, "gaussian") && type->quoted && type->line == 4 && type->column == 9);
  CHECK(weights->kind == DUN_NODE_LIST && weights->count == 2);
  CHECK(!strcmp(weights->child[1].text, "0.8") && weights->child[1].line == 6 &&
        weights->child[1].column == 13 && !weights->child[1].quoted);
  CHECK(p.input.root.key_line[1] == 3 && target->key_column[1] == 3);
  CHECK(!strcmp(dun_node_find(dun_node_find(&p.input.root, "run"), "particles")->text, "65_536"));
  CHECK(!*dun_node_find(&p.input.root, "empty")->text);
  CHECK(!dun_node_find(&p.input.root, "nothing") && !dun_node_find(weights, "x"));
  CHECK(p.input.size == (int64_t)strlen(p.input.bytes));
  done(&p);
}

static void test_refusals(void)
{
  static const struct {
    const char *text, *complaint;
    int status, count;
  } cases[] = {
      {"", "run.yaml: found nothing, expected a mapping of sections", -1, 1},
      {"# only a comment\n", "run.yaml: found nothing, expected a mapping", -1, 1},
      {"---\n", "found nothing, expected a mapping", -1, 1},
      {"[1, 2]\n", "run.yaml:1:1: found a list of 2, expected a mapping", -1, 1},
      {"hello\n", "run.yaml:1:1: found 'hello', expected a mapping", -1, 1},
      {"run: {seed: 1}\n---\nrun: {}\n", "run.yaml:2:1: found a second document", 0, 1},
      {"run: {seed: 1, b: 2, seed: 3}\n",
       "run.yaml:1:22: run: key 'seed' given twice (first at line 1)", 0, 1},
      {"run: {}\npath: {}\nrun: {}\n", "run.yaml:3:1: key 'run' given twice (first at line 1)", 0,
       1},
      {"a: &x 1\n", "run.yaml:1:4: a: found the anchor 'x'", 0, 1},
      {"a: 1\nb: *x\n", "run.yaml:2:4: b: found the alias '*x'", -1, 1},
      {"a: !!int 1\n", "run.yaml:1:4: a: found the tag", 0, 1},
      {"a: !own {b: 1}\n", "run.yaml:1:4: a: found the tag '!own'", 0, 1},
      {"a: &q [1]\nb: &r {c: 1}\n", "run.yaml:2:4: b: found the anchor 'r'", 0, 2},
      {"run:\n\tseed: 1\n", "run.yaml:2:1: this is not YAML: found a tab: indent by spaces", -1, 1},
      {"run: {seed: 1\n", "run.yaml:2:1: this is not YAML: a bracket that is opened in line 1", -1,
       1},
      {"run: 'x\n", "this is not YAML", -1, 1},
      {"run:\n  seed: 1\n   b: 2\n", "run.yaml:3:5: this is not YAML", -1, 1},
      {"? [a, b]\n: 1\n", "run.yaml:1:3: found a list, mapping or alias as a key", -1, 1},
      {"run: {'': 3}\n", "run: found nothing as a key", -1, 1},
      {"a: \"x\\0y\"\n", "run.yaml:1:4: a: found a zero byte", 0, 1},
      {"a: [1,[2,[3,[4,[5,[6,[7,[8,[9,[10,[11,[12,[13,[14,[15,[16,[17]]]]]]]]]]]]]]]]]\n",
       "found more than 16 levels", -1, 1},
      {"- - - - - - - - - - - - - - - - - - - - - - - 1\n", "found more than 16 levels", -1, 1},
      {"a: 1\xff\n", "run.yaml:1:5: found a byte or character 0xff", -1, 1},
      {"a: \x01\n", "run.yaml:1:4: found a byte or character 0x01", -1, 1},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct parsed p = parse(cases[i].text);
    int good = says(&p, cases[i].complaint) && p.status == cases[i].status &&
               p.complaints.count == cases[i].count;
    if (!good)
      fprintf(stderr, "case %zu: status %d, %d complaints:\n%s\n", i, p.status, p.complaints.count,
              cases[i].text);
    CHECK(good);
    done(&p);
  }
}

/* What is not YAML is told by its cause, in the line that has it. */
static void test_causes(void)
{
  static const struct {
    const char *text, *complaint;
  } cases[] = {
      {"run:\n  seed:1\n  b: 2\n", "run.yaml:2:3: this is not YAML: a blank is missing behind the "
                                   "colon: 'seed: 1'"},
      {"run:\n  b: 2\n  seed:1\nc: 3\n",
       "run.yaml:3:3: this is not YAML: a blank is missing behind the colon: 'seed: 1'"},
      {"run:\n  b: x.h5\n    every:0\n", "run.yaml:3:5: run.b: found a value that goes on over "
                                         "lines 2 to 3, expected one line: a blank is missing"},
      {"run: {b: x.h5\n  every:0}\n", "run.yaml:2:3: run.b: found a value that goes on"},
      {"run:\n  b: two\n    words\n",
       "run.yaml:2:6: run.b: found a value that goes on over lines 2 "
       "to 3, expected one line: a text of several lines"},
      {"run:\n  b:1\nc: 3\n", ""},
      {"a: 1\nb:2\nc: 3\n", "run.yaml:2:1: "},
      {"run:\n  seed = 1\n  b: 2\n", "run.yaml:2:3: this is not YAML: options are written with a "
                                     "colon: 'seed: 1'"},
      {"run:\n  a: 1\n\tb: 2\n", "run.yaml:3:1: this is not YAML: found a tab: indent by spaces"},
      {"run:\n  a: 1\n  \tb: 2\n", "found a tab: indent by spaces"},
      {"run:\n  a: 1\n   b: 2\n", "run.yaml:3:5: this is not YAML: the line is indented further"},
      {"run:\n  a: 1\n b: 2\n", "run.yaml:3:2: this is not YAML: the line is indented otherwise"},
      {"run: {a: 1 b: 2}\n", "run.yaml:1:13: this is not YAML: a comma is missing"},
      {"run: {a: 1; b: 2}\n", "commas, not semicolons"},
      {"run: {a: 1}}\n",
       "run.yaml:1:12: this is not YAML: a bracket is closed that was not opened"},
      {"run: {a: 1\nb: {c: 2}\n", "a bracket that is opened in line 1 is not closed"},
      {"a: 1\nb: 'x\nc: 3\n",
       "run.yaml:2:1: this is not YAML: a quote that is opened in this line"},
      {"a: x: y\n", "run.yaml:1:5: this is not YAML: a value with ': ' in it stands in quotes"},
      {"a: \"C:\\d\"\n", "in double quotes a backslash begins an escape"},
      {"a: @x\n", "run.yaml:1:4: this is not YAML: a value that begins with such a letter"},
      {"a: *.csv\n", "a value that begins with & or * stands in quotes"},
      {"a: (b: 1)\n", "mappings are written {name: value, ...}"},
      {"a:\n  - b: 1\n  c: 2\n",
       "run.yaml:3:3: this is not YAML: what belongs to an entry of a list"},
      {"a:\n\xc2\xa0 b: 1\n  c: 2\n", "run.yaml:2:1: this is not YAML: it holds a no-break space"},
      {"a: gr\xf6\xdf"
       "e\n",
       "is the file in Latin-1?"},
      {"\x1f\x8b\x08", "run.yaml:1:1: found a file compressed by gzip"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct parsed p = parse(cases[i].text);
    int good = *cases[i].complaint ? says(&p, cases[i].complaint) && p.complaints.count == 1
                                   : p.complaints.count == 0; /* said where values are bound */
    if (!good)
      fprintf(stderr, "case %zu: %d complaints:\n%s\n", i, p.complaints.count, cases[i].text);
    CHECK(good);
    done(&p);
  }
}

static void test_binary(void)
{
  static const char zeros[] = "run: {seed: 1}\n\0\0\0";
  static const char wide[] = "\xff\xfer\0u\0n\0:\0 \0001\0";
  struct parsed p = parse_bytes(zeros, sizeof zeros);
  CHECK(p.status == -1 && says(&p, "run.yaml:2:1: found a byte or character 0x00"));
  done(&p);
  p = parse_bytes(wide, sizeof wide - 1);
  CHECK(p.status == -1 && says(&p, "run.yaml:1:1: found text in UTF-16"));
  done(&p);
  p = parse("\xef\xbb\xbfrun: {seed: 1}\r\ntarget: {}\r\n"); /* a byte order mark, CRLF */
  CHECK(p.status == 0 && p.complaints.count == 0 && p.input.root.count == 2);
  done(&p);
}

/* Large and deep inputs end quickly with one complaint. */
static void test_bombs(void)
{
  size_t size = (1 << 20) + 1;
  char *text = malloc(size + 1);
  memset(text, '[', size);
  struct parsed p = parse_bytes(text, size);
  CHECK(p.status == -1 && says(&p, "run.yaml: found 1048577 bytes, expected at most 1 MiB"));
  done(&p);
  p = parse_bytes(text, size - 1);
  CHECK(p.status == -1 && says(&p, "found more than 16 levels"));
  done(&p);
  for (size_t i = 0; i + 1 < size; i += 2)
    memcpy(text + i, "- ", 2);
  p = parse_bytes(text, size - 1);
  CHECK(p.status == -1 && says(&p, "found more than 16 levels"));
  done(&p);
  text[0] = '{';
  for (size_t i = 1; i + 8 < size; i += 8) {
    char key[16];
    snprintf(key, sizeof key, "%07zu,", i / 8);
    memcpy(text + i, key, 8);
  }
  p = parse_bytes(text, size - 1);
  CHECK(p.status == -1 && says(&p, "found more than 1000 keys"));
  done(&p);
  for (size_t i = 0; i + 5 < size; i += 5)
    memcpy(text + i, "a: 1\n", 5);
  p = parse_bytes(text, size - 1);
  CHECK(p.complaints.count > 100000 && says(&p, "further faults are not listed"));
  CHECK(p.complaints.text.length < 20000);
  done(&p);
  free(text);
}

static const struct dun_node *at(const struct parsed *p, const char *section, const char *key)
{
  return dun_node_find(dun_node_find(&p->input.root, section), key);
}

static void test_set(void)
{
  struct parsed p = parse("run: {seed: 7}\nprobes: [{type: moments}]\nfinish:\n");
#define SET(text) dun_input_set(&p.input, text, &p.complaints)
  CHECK(SET("run.seed=8") == 0 && !strcmp(at(&p, "run", "seed")->text, "8"));
  CHECK(at(&p, "run", "seed")->line == 0);
  CHECK(SET("run.label=\"a = b\"") == 0 && !strcmp(at(&p, "run", "label")->text, "a = b"));
  CHECK(at(&p, "run", "label")->quoted && !at(&p, "run", "seed")->quoted);
  CHECK(SET("path.base.scale=[1, 2.5]") == 0 &&
        dun_node_find(at(&p, "path", "base"), "scale")->count == 2);
  CHECK(SET("target={type: funnel, dimension: 3}") == 0 &&
        !strcmp(at(&p, "target", "dimension")->text, "3"));
  CHECK(SET("probes.0.every=5") == 0 &&
        !strcmp(dun_node_find(&dun_node_find(&p.input.root, "probes")->child[0], "every")->text,
                "5"));
  CHECK(SET("probes.1={type: modes}") == 0 && dun_node_find(&p.input.root, "probes")->count == 2);
  CHECK(SET("finish.type=thin") == 0 && !strcmp(at(&p, "finish", "type")->text, "thin"));
  CHECK(SET("run.time_limit=") == 0 && !*at(&p, "run", "time_limit")->text);
  CHECK(p.complaints.count == 0);

  CHECK(SET("run.seed") == -1 &&
        says(&p, "--set: found 'run.seed', expected section.option=value"));
  CHECK(SET("=3") == -1 && SET("run..seed=3") == -1 && SET(".seed=3") == -1);
  CHECK(says(&p, "--set: run..seed: found an empty name"));
  CHECK(SET("probes.7.every=5") == -1 &&
        says(&p, "--set: probes.7.every: expected the number of an element from 0 to 2"));
  CHECK(SET("probes.x=5") == -1 && SET("probes.-1=5") == -1 &&
        SET("probes.99999999999999999999=5") == -1);
  CHECK(SET("run.seed.deep=5") == -1 &&
        says(&p, "--set: run.seed.deep: 'deep' is looked for in '8', which is no mapping"));
  CHECK(SET("run.seed=a: b") == -1 && says(&p, "run.seed: expected a value in flow style"));
  CHECK(SET("run.seed=[1, 2") == -1 && says(&p, "--set: this is not YAML"));
  CHECK(SET("run.seed={a: 1, a: 2}") == -1 && says(&p, "--set: run.seed: key 'a' given twice"));
  CHECK(SET("run.seed=*x") == -1 && SET("run.seed=1\n---\n2") == -1);
  CHECK(!strcmp(at(&p, "run", "seed")->text, "8"));
#undef SET
  done(&p);
}

static void test_describe(void)
{
  char text[DUN_DESCRIPTION];
  char longest[200];
  memset(longest, 'x', sizeof longest - 1);
  longest[sizeof longest - 1] = 0;
  CHECK(strlen(dun_quote(longest, text)) < 70 && strstr(text, "...'"));
  memcpy(longest + 55, "\xc3\xa4\xc3\xa4", 4); /* two letters of two bytes across the cut */
  dun_quote(longest, text);
  CHECK(!memcmp(text + 56, "\xc3\xa4...'", 6));
  CHECK(!strcmp(dun_quote("a\nb", text), "'a b'"));
}

/* Thousands of damaged inputs: none may crash, hang or fail without a complaint. */
static void test_mutations(void)
{
  static const char seed[] =
      "run: {seed: 7, particles: 65_536, replicates: 1}\n"
      "target: {type: gaussian_mixture, weights: [0.2, 0.8], name: \"a\\u00e4b\"}\n"
      "path:\n  base: {type: gaussian, mean: 0}\n  schedule:\n    - &a !x 1\n    - *a\n"
      "probes: [{type: moments}, {type: 'modes'}] # done\n"
      "text: |\n  line\n  line\n...\n";
  static const char alphabet[] = "{}[],:-#&*!|>'\"%@`\t\n ?\\.0a\xff\xc3";
  struct dun_address address = {.seed = 20, .purpose = DUN_PURPOSE_TEST};
  int refused = 0, accepted = 0;
  int64_t memory = dun_memory_in_use();
  for (int trial = 0; trial < 5000; trial++) {
    char bytes[2 * sizeof seed];
    size_t size = sizeof seed - 1;
    memcpy(bytes, seed, size);
    address.step = (uint32_t)trial;
    int changes = 1 + (int)(7 * dun_uniform_one(address, 0));
    for (int c = 0; c < changes; c++) {
      size_t place = (size_t)((double)(size - 1) * dun_uniform_one(address, 3 * c + 1));
      double what = 3 * dun_uniform_one(address, 3 * c + 2),
             which = dun_uniform_one(address, 3 * c + 3);
      char letter = alphabet[(size_t)((sizeof alphabet - 2) * which)];
      if (what < 1)
        bytes[place] = letter;
      else if (what < 2) {
        memmove(bytes + place + 1, bytes + place, size - place);
        bytes[place] = letter;
        size++;
      } else {
        memmove(bytes + place, bytes + place + 1, size - place - 1);
        size--;
      }
    }
    struct parsed p = parse_bytes(bytes, size);
    CHECK(p.status == 0 || p.complaints.count > 0);
    refused += p.status < 0;
    accepted += p.status == 0;
    if (p.status == 0)
      dun_input_set(&p.input, "path.base.mean=[1, 2]", &p.complaints);
    done(&p);
  }
  CHECK(dun_memory_in_use() == memory);
  CHECK(refused > 500 && accepted + refused == 5000);
}

TEST_MAIN({"tree", test_tree}, {"refusals", test_refusals}, {"causes", test_causes},
          {"binary", test_binary}, {"bombs", test_bombs}, {"set", test_set},
          {"describe", test_describe}, {"mutations", test_mutations})
