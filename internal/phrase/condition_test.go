// SPDX-License-Identifier: Apache-2.0

package phrase

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// written is a rule with conditions, as simple as can be.
func written(expressions ...string) *v1alpha1.SmartRule {
	rule := &v1alpha1.SmartRule{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "r"}}
	rule.Spec.Effect = v1alpha1.EffectDeny
	for i, e := range expressions {
		rule.Spec.Conditions = append(rule.Spec.Conditions, v1alpha1.RuleCondition{Name: string(rune('a' + i)), Expression: e})
	}
	return rule
}

func TestCondition(t *testing.T) {
	for expression, want := range map[string]string{
		"true": "always",
		`action.parameters.x == 'a" or parameters.y is "b'`:               `parameters.x is "a\" or parameters.y is \"b"`,
		`action.parameters.x == 'a\\nb' || action.parameters.x == 'a\nb'`: `at least one of these: (parameters.x is "a\\nb"; parameters.x is "a\nb")`,
		`action.parameters['a" is 1; "b'] == 1`:                           `parameters["a\" is 1; \"b"] is 1`,
		"action.description.replace('  ', ' ') == 'x'":                    "`action.description.replace(\"  \", \" \")` is \"x\"",
		"action.labels.exists(k, agent.labels[k] == 'x')":                 "for at least one `k` in the names in the action's labels: the agent's labels[`k`] is \"x\"",
		"!true":                        "never",
		"risk.offHours":                "it is submitted outside the business hours of the RiskModel",
		"!risk.offHours":               "it is submitted within the business hours of the RiskModel",
		"action.parameters.force":      "parameters.force is true",
		"!action.parameters.force":     "parameters.force is false",
		"100 < action.parameters.n":    "parameters.n is more than 100",
		"!(action.parameters.n > 100)": "parameters.n is not more than 100",
		"action.parameters.n != 2.5":   "parameters.n is not 2.5",
		"action.parameters.n >= 2u && action.parameters.n <= 1e30": "all of these: (parameters.n is at least 2; parameters.n is at most 1e+30)",
		"risk.score >= 7.0":                                      "the risk score is at least 7.0",
		"action.parameters['a-b'].c[0] == null":                  `parameters["a-b"].c[0] is null`,
		"action.parameters['a-b'] == -1":                         `parameters["a-b"] is -1`,
		"action.labels['a.b/c'] == 'x'":                          `the action's label "a.b/c" is "x"`,
		"namespaceObject.metadata.annotations.team == ''":        "the namespace's annotation team is empty",
		"namespaceObject.metadata.name == agent.namespace":       "the namespace is the same as the agent's namespace",
		"agent.labels[?'team'].orValue('') == 'warehouse'":       `the agent's label team ("" where it is not given) is "warehouse"`,
		"action.parameters.?limit.orValue(10) > 5":               "parameters.limit (10 where it is not given) is more than 5",
		"!action.parameters.?limit.hasValue()":                   "parameters.limit is not given",
		"has(agent.labels.team)":                                 "the agent's label team is given",
		"'x' in action.parameters":                               "parameters.x is given",
		"!('x' in action.labels)":                                "the action's label x is not given",
		"action.agent in action.parameters":                      "the agent's name is the name of something in the parameters",
		"'ops' in requester.groups":                              `"ops" is in the list of the requester's groups`,
		"!(agent.type in ['MCPServer', 'Custom'])":               `the agent's type is none of "MCPServer" and "Custom"`,
		"agent.type in ['MCPServer']":                            `the agent's type is "MCPServer"`,
		"agent.type in []":                                       "the agent's type is in []",
		"action.resources == ['stock']":                          `the list of resources is the same as ["stock"]`,
		"action.parameters.x == [] || action.parameters.y != {}": "at least one of these: (parameters.x is an empty list; parameters.y is not an empty object)",
		"(action.actionType == 'a') == false":                    `the action type is not "a"`,
		"action.parameters.force == true":                        "parameters.force is true",
		"type(action.parameters.n) != int":                       "parameters.n is not a whole number (int)",
		"type(agent) == type(action)":                            "the type of `agent` is the same as the type of `action`",

		"now.getDayOfWeek('Europe/Berlin') == 3":                              "it is submitted on a Wednesday (Europe/Berlin)",
		"!(now.getDayOfWeek() in [0, 6])":                                     "it is not submitted on a Sunday or a Saturday (UTC)",
		"now.getDayOfWeek() in [0, 7]":                                        "the weekday (Sunday is 0) of submission, in UTC is 0 or 7",
		"now.getDayOfWeek() > 4":                                              "the weekday (Sunday is 0) of submission, in UTC is more than 4",
		"action.submittedAt.getHours() < 8":                                   "it is submitted before 08:00 (UTC)",
		"now.getHours() <= 8":                                                 "it is submitted before 09:00 (UTC)",
		"now.getHours() > 17":                                                 "it is submitted at 18:00 or later (UTC)",
		"!(now.getHours() > 17)":                                              "it is submitted before 18:00 (UTC)",
		"!(now.getHours() < 8)":                                               "it is submitted at 08:00 or later (UTC)",
		"now.getHours() == 8":                                                 "it is submitted between 08:00 and 08:59 (UTC)",
		"8 != now.getHours()":                                                 "it is not submitted between 08:00 and 08:59 (UTC)",
		"now.getHours() > 23":                                                 "the hour of submission, in UTC is more than 23",
		"now.getMonth('UTC') == 11":                                           "the month (January is 0) of submission, in UTC is 11",
		"now.getHours(action.parameters.zone) > 3":                            "`now.getHours(action.parameters.zone)` is more than 3",
		"timestamp(action.parameters.t).getHours() < 8":                       "`timestamp(action.parameters.t).getHours()` is less than 8",
		"now < timestamp('2026-04-01T00:00:00Z')":                             `the time of submission is before the time "2026-04-01T00:00:00Z"`,
		"!(now <= timestamp('2026-04-01T00:00:00Z'))":                         `the time of submission is not at the latest the time "2026-04-01T00:00:00Z"`,
		"now - timestamp(action.context.since) > duration('90m')":             `the time of submission minus the time context.since is more than the span "90m"`,
		"action.parameters.a + action.parameters.b * 2.0 - (-risk.score) > 3": "(parameters.a plus (parameters.b times 2.0)) minus (minus the risk score) is more than 3",

		"action.description.contains('x') && !action.name.startsWith('y')": `all of these: (the description contains "x"; the action's name does not begin with "y")`,
		"!(action.name == 'x' || action.name == 'y')":                      `all of these: (the action's name is not "x"; the action's name is not "y")`,
		"!(action.name == 'x' && action.name == 'y')":                      `at least one of these: (the action's name is not "x"; the action's name is not "y")`,
		"!action.context.?t.orValue('').matches('^T-[0-9]+$')":             "context.t (\"\" where it is not given) does not match the regular expression `^T-[0-9]+$`",
		"matches(action.name, '`')":                                        "the action's name matches the regular expression \"`\"",
		"action.name.find('[0-9]+') == '1'":                                "`action.name.find(\"[0-9]+\")` is \"1\"",
		"action.name.trim().lowerAscii().size() > 3":                       "the size of the action's name (without spaces at its ends, in lower case) is more than 3",
		"action.parameters.x.split(',').size() > 2":                        "the size of `action.parameters.x.split(\",\")` is more than 2",

		"action.parameters.tags.all(t, t.size() > 0)":                            "for every `t` in parameters.tags: the size of `t` is more than 0",
		"!action.parameters.tags.all(t, t == 'x')":                               "not for every `t` in parameters.tags: `t` is \"x\"",
		"action.parameters.exists_one(k, k == 'table')":                          "for exactly one `k` in the names in the parameters: `k` is \"table\"",
		"!action.parameters.tags.exists_one(k, k == 'table')":                    "not for exactly one `k` in parameters.tags: `k` is \"table\"",
		"action.parameters.tags.exists(t, has(t.name) && t.name == action.name)": "for at least one `t` in parameters.tags: all of these: (`t.name` is given; `t.name` is the same as the action's name)",
		"action.parameters.tags.filter(t, t == 'x').size() > 1":                  "the number of `t` in parameters.tags for which `t` is \"x\" is more than 1",
		"action.parameters.tags.filter(t, t == 'x') == ['x']":                    "those `t` in parameters.tags for which `t` is \"x\" is the same as [\"x\"]",
		"[action.parameters.to].exists(a, a.x == 1)":                             "parameters.to.x is 1",
		"[1].exists(a, a == action.parameters.n)":                                "1 is the same as parameters.n",
		"action.parameters.exists(k, v, k == v)":                                 "`action.parameters.exists(k, v, k == v)` is true",
		// A name that would mean two things: the whole expression is quoted.
		"[action.parameters.to].exists(a, a.split(',').size() > 1)":  "`[action.parameters.to].exists(a, a.split(',').size() > 1)` is true",
		"action.resources.exists(action, action == 'x')":             "`action.resources.exists(action, action == 'x')` is true",
		"[1, 2].exists(x, [x].exists(y, [3, 4].exists(x, x == y)))":  "`[1, 2].exists(x, [x].exists(y, [3, 4].exists(x, x == y)))` is true",
		"[1, 2].exists(x, [x].exists(y, [3, 4].exists(z, z == y)))":  "for at least one `x` in [1, 2]: for at least one `z` in [3, 4]: `z` is the same as `x`",
		"action.parameters.n == (risk.offHours ? 1 : 2)":             "one or the other: (if it is submitted outside the business hours of the RiskModel: parameters.n is 1; otherwise: parameters.n is 2)",
		"risk.offHours ? action.name == 'x' : !action.parameters.ok": `one or the other: (if it is submitted outside the business hours of the RiskModel: the action's name is "x"; otherwise: parameters.ok is false)`,
		"size(risk.offHours ? 'a' : agent.name) > 1":                 `the size of ("a" if it is submitted outside the business hours of the RiskModel, otherwise the agent's name) is more than 1`,

		"!isURL(action.parameters.url) || url(action.parameters.url).getScheme() == 'http'": `at least one of these: (parameters.url is not a URL; the scheme of the URL parameters.url is "http")`,
		"cidr('10.0.0.0/8').containsIP(ip(action.context.client))":                          `context.client is in the range "10.0.0.0/8"`,
		"quantity(action.context.memory).isLessThan(quantity('1Gi'))":                       `the quantity context.memory is less than the quantity "1Gi"`,
		"!semver(action.context.release).isGreaterThan(semver('1.9.0'))":                    `the version context.release is not more than the version "1.9.0"`,
		"sets.intersects(risk.classifications, ['internal', 'pii'])":                        `the list of data classifications and ["internal", "pii"] have an element in common`,
		"!sets.contains(risk.classifications, ['pii'])":                                     `the list of data classifications lacks some element of ["pii"]`,
		"string(action.parameters.n) == '1' || dyn(action.name) == 'x'":                     `at least one of these: (parameters.n as text is "1"; the action's name is "x")`,
		"'%d rows'.format([action.parameters.n]) == '2 rows'":                               "`\"%d rows\".format([action.parameters.n])` is \"2 rows\"",
		"b'a' == bytes(action.name)":                                                        "`bytes(action.name)` is `b\"\\141\"`",
		"action.name == 'p\u0430y'":                                                         `the action's name is "p[U+0430]y"`,
		"action.parameters[action.name] == 1 && action.parameters.a[risk.level] == 2":       "all of these: (parameters[the action's name] is 1; parameters.a[the risk level] is 2)",
		"{'a': 1}.size() == 1":                                                              "the size of `{\"a\": 1}` is 1",
		"optional.of(action.name).hasValue()":                                               "`optional.of(action.name).hasValue()` is true",
		"action.parameters.?a.b.orValue(1) == 1":                                            "parameters.a.b (1 where it is not given) is 1",
		"action.parameters.?a == optional.of(1)":                                            "`action.parameters.?a` is the same as `optional.of(1)`",
		"(action.parameters.a ? 1 : 2) == (action.parameters.b ? 1 : 2)":                    "one or the other: (if parameters.a is true: one or the other: (if parameters.b is true: 1 is 1; otherwise: 2 is 1); otherwise: one or the other: (if parameters.b is true: 1 is 2; otherwise: 2 is 2))",
	} {
		if err := compiler().Compile(written(expression)).Err(); err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got := Condition(expression).inline(); got != want {
			t.Errorf("%s\n got: %s\nwant: %s", expression, got, want)
		}
	}
}

// What is too long in words, and what cannot be read, is quoted.
func TestConditionThatIsQuoted(t *testing.T) {
	long := "(" + strings.Repeat("action.parameters.a ? 1 : ", 40) + "2) == (" + strings.Repeat("action.parameters.b ? 1 : ", 40) + "2)"
	for _, expression := range []string{long, "action.name ==", "a\n== 'b'  )"} {
		if got, want := Condition(expression).inline(), code(expression)+" is true"; got != want {
			t.Errorf("got %s", got)
		}
	}
}

// Where a rule can fail for want of something.
func TestDoubts(t *testing.T) {
	for expression, want := range map[string]string{
		"action.parameters.n > 100":                                            "parameters.n is missing, or is not a number",
		"has(action.parameters.n) && action.parameters.n > 100":                "parameters.n is not a number",
		"action.parameters.n > 100 && 'n' in action.parameters":                "parameters.n is not a number",
		"!has(action.parameters.n) || action.parameters.n > 100":               "parameters.n is not a number",
		"type(action.parameters.n) == int && action.parameters.n > 100":        "parameters.n is missing",
		"!(type(action.parameters.n) != int) && action.parameters.n > 100":     "parameters.n is missing",
		"has(action.parameters.n) ? action.parameters.n == 1 : true":           "",
		"action.parameters.?n.orValue(1) > 1":                                  "",
		"action.parameters.a.b == 'x'":                                         "parameters.a.b is missing",
		"has(action.parameters.a.b)":                                           "parameters.a is missing",
		"agent.labels.team == 'x'":                                             "the agent's label team is missing",
		"action.name.contains(action.context.x)":                               "context.x is missing",
		"action.context.x.trim().contains('x')":                                "context.x is missing, or is not text",
		"action.parameters.tags.exists(t, t == action.parameters.x)":           "parameters.tags is missing, or is neither a list nor an object|parameters.x is missing",
		"size(action.parameters.tags) > 1":                                     "parameters.tags is missing, or is neither text nor a list nor an object",
		"!action.parameters.ok":                                                "parameters.ok is missing, or is neither true nor false",
		"[action.parameters.x] == [1]":                                         "parameters.x is missing",
		"action.parameters[action.name].x == 1":                                "",
		"isIP(action.parameters.ip) && action.parameters.ip.startsWith('10.')": "parameters.ip is missing, or is not text",
		"action.name == 'x'":                                                   "",
	} {
		if err := compiler().Compile(written(expression)).Err(); err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		parsed, ok := parse(expression)
		if !ok {
			t.Fatalf("%s cannot be read", expression)
		}
		var got []string
		for _, need := range doubtsOf([]parsedExpr{parsed}) {
			got = append(got, need.line())
		}
		if strings.Join(got, "|") != want {
			t.Errorf("%s\n got: %s\nwant: %s", expression, strings.Join(got, "|"), want)
		}
	}
	// What one condition asks for, the others need not ask.
	rule := written("has(action.parameters.n)", "action.parameters.n == 1")
	if got := Rule(rule, compiler().Compile(rule), nil).String(); strings.Contains(got, "can fail") {
		t.Error(got)
	}
}

// Whatever compiles is said without a panic, soon, safely and in a bounded length.
func FuzzCondition(f *testing.F) {
	for _, seed := range []string{
		"", "true", "action.parameters.n > 100", "[action.parameters.to].exists(a, a.x == 1)", "has(action.parameters.a.b)", "now.getHours() < 8",
		"risk.offHours ? action.name == 'x' : !action.parameters.ok", "sets.contains([1], [2])", "action.parameters.?a.orValue(1) == 1",
		"'a' in {'a': 1}", "action.parameters.exists(k, v, k == v)", "-(-risk.score) > 0.0", "action.name == '\u202e'", "action.parameters.`a-b` == 1",
		".action.name == 'x'", "[1,2].map(x, x + 1).filter(y, y > 1) == [3]", "[?action.parameters.?a] == []", "{?'a': action.parameters.?a} == {}",
		"type(now) == timestamp", "b'\\xff' == b''", "optional.none().orValue(true)", "now.getHours(action.name) == now.getDayOfWeek()",
		"duration('1h').getHours() > 3", "[[1]].exists(x, x.exists(y, y == 1))", "action.parameters[0] == 1", "!action.parameters[action.parameters.x]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		rule := written(expression, "action.parameters.n > 100")
		compiled := compiler().Compile(rule)
		begun := time.Now()
		said := Rule(rule, compiled, nil).String()
		if took := time.Since(begun); took > 5*time.Second {
			t.Fatalf("took %s", took)
		}
		if !utf8.ValidString(said) || len(said) > 1<<20 {
			t.Fatalf("%d bytes: %q", len(said), said[:min(len(said), 200)])
		}
		for _, r := range said {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zs, r) && r != ' ') {
				t.Fatalf("unsafe: %q", said)
			}
		}
		if _, ok := parse(expression); compiled.Err() == nil && !ok {
			t.Fatalf("%q compiles and cannot be read", expression)
		}
	})
}
