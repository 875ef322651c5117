// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/risk"
)

// What rule authors can write: all of these hold for the test action.
func TestExpressions(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{
		"action.namespace == 'team-a' && action.name == 'act-1' && action.uid == 'uid-1'",
		"action.labels.ticket == 't-1' && action.annotations['note'] == 'n'",
		"action.agent == 'tutorial' && action.actionType == 'database_delete' && action.description == 'delete old users'",
		"action.resource == 'Users' && action.resources == ['users']",
		"action.context.ticket_id == 'T-1' && action.dataClassification == 'pii'",
		"action.submittedAt == timestamp('2026-06-09T13:30:00Z') && now == action.submittedAt",
		"agent.namespace == 'team-a' && agent.name == 'tutorial' && agent.labels['team'] == 'data' && agent.annotations.size() == 0",
		"agent.displayName == 'Tutorial' && agent.type == 'Autonomous' && agent.environment == 'sandbox'",
		"agent.owner == 'owner@example.com' && agent.state == 'Active'",
		"risk.score == 5.3 && risk.level == 'Medium' && risk.baseScore == 8.1 && risk.vector.startsWith('CVSS:3.1/')",
		"risk.classifications == ['pii'] && risk.environments == ['sandbox'] && !risk.offHours",
		"requester.username == 'sa' && requester.uid == 'u' && 'g2' in requester.groups",
		"namespaceObject.metadata.name == 'team-a' && namespaceObject.metadata.labels.tier == 'gold'",
		"namespaceObject.metadata.annotations.size() == 0",
		"now.getHours('Europe/Berlin') == 15 && now.getDayOfWeek() == 2 && now.getHours('+05:30') == 19",
		"action.parameters.affected_rows > 100 && action.parameters.affected_rows > 100.5 && 100 < action.parameters.affected_rows",
		"action.parameters.ratio > 2 && action.parameters.ratio == 2.5 && action.parameters.flag",
		"!has(action.parameters.missing) && has(action.parameters.nothing) && action.parameters.nothing == null",
		"action.parameters.?missing.orValue(0) == 0 && action.parameters.?affected_rows.orValue(0) == 150",
		"action.parameters[?'text'].hasValue() && action.parameters.?a.?b.orValue('x') == 'x'",
		"action.parameters.?text.optMap(v, v + 'd').orValue('') == 'abcd'",
		"action.parameters.nested.x == 1 && action.parameters.nested == {'x': 1}",
		"action.parameters.text.matches('^a.c$') && !matches(action.parameters.text, '^b') && action.parameters.text.find('b') == 'b'",
		"'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]+', 1).size() == 1",
		"action.parameters.text.upperAscii() == 'ABC' && 'a,b'.split(',') == ['a', 'b'] && ['a', 'b'].join('-') == 'a-b'",
		"action.parameters.text.contains('b') && 'x'.replace('x', 'y') == 'y' && ' a '.trim() == 'a' && 'abc'.substring(1) == 'bc'",
		"'%s has %d of %.1f'.format([action.parameters.text, action.parameters.affected_rows, 2.5]) == 'abc has 150 of 2.5'",
		"action.parameters.tags.exists(t, t.startsWith('b')) && action.parameters.tags.all(t, t.matches('^[a-z]+$'))",
		"action.parameters.tags.map(t, t + 'x') == ['ax', 'bcdx'] && action.parameters.tags.filter(t, t == 'a').size() == 1",
		"action.parameters.tags.exists_one(t, t == 'a') && action.parameters.all(k, k.size() < 20)",
		"action.parameters.transformList(k, v, k == 'text', v) == ['abc'] && {'a': 1}.transformMap(k, v, v + 1) == {'a': 2}",
		"(has(action.parameters.tags) ? action.parameters.tags : []).all(t, t.matches('^[a-z]+$'))",
		"action.parameters.?tags.orValue([]).all(t, t.matches('^[a-z]+$'))",
		"action.parameters.tags.all(t, action.resources.all(r, !t.contains(r)))",
		"sets.contains(action.parameters.tags, ['a']) && !sets.intersects(action.parameters.tags, ['z']) && sets.equivalent([1, 2], [2, 1])",
		"action.parameters.tags.distinct().size() == 2 && action.parameters.tags.sort() == ['a', 'bcd'] && [1, 2].sum() == 3",
		"action.parameters.tags.sortBy(t, -t.size())[0] == 'bcd' && action.parameters.tags.indexOf('bcd') == 1",
		"action.parameters.tags.lastIndexOf('a') == 0 && action.parameters.tags.includes('a') && action.parameters.text.indexOf('c') == 2",
		"[[1], [2]].flatten() == [1, 2] && [1, 2, 3].slice(0, 1) == [1] && [2, 1].reverse() == [1, 2] && lists.range(2) == [0, 1]",
		"[1, 2].isSorted() && [3, 4].min() == 3 && [3, 4].max() == 4",
		"quantity('1Gi').isGreaterThan(quantity('1Mi')) && isQuantity('5k')",
		"ip(action.parameters.ip).family() == 4 && cidr('10.0.0.0/8').containsIP(action.parameters.ip) && isIP('::1')",
		"cidr('10.0.0.0/8').containsCIDR(cidr('10.1.0.0/16')) && ip('10.0.0.1') == ip('10.0.0.1')",
		"format.dns1123Label().validate('AA').hasValue() && !format.named('dns1123Label').value().validate('aa').hasValue()",
		"url('https://example.com/x').getHost() == 'example.com' && !isURL(action.resource)",
		"semver('1.2.3').isLessThan(semver('1.3.0')) && duration('90m') > duration('1h') && now - duration('1h') < now",
		"int('5') == 5 && string(1.5) == '1.5' && type(action.parameters.text) == string && size(b'ab') == 2 && bytes('ab') == b'ab'",
		"optional.of(1) == optional.of(1) && optional.none().or(optional.of(2)).value() == 2 && strings.quote('a') == '\"a\"'",
		"action.parameters == action.parameters && action.parameters.tags != ['x'] && ['a', 'bcd'] in [action.parameters.tags]",
	} {
		r := shared().Compile(rule("r", when(expression)))
		if r.Err() != nil {
			t.Errorf("%s: %v", expression, r.Err())
			continue
		}
		_, got := evaluate(t, asked(t, bulkDelete), nil, NewIndex([]*Rule{r}))
		if len(got.Matched) != 1 || got.Matched[0].Err != nil {
			t.Errorf("%s: got %+v", expression, got)
		}
	}
}

// The variables agree with what the risk package says, not with a copy of it.
func TestVariablesOfARealAssessment(t *testing.T) {
	t.Parallel()
	model, err := risk.Compile(nil)
	if err != nil {
		t.Fatal(err)
	}
	for claimed, want := range map[string]string{"pii": "pii", "PUBLIC": "public", "nonsense": ""} {
		in := asked(t, fmt.Sprintf(`{"table": "users", "affected_rows": 5, "data_classification": %q}`, claimed))
		in.Assessment = model.Assess(in.Request, "sandbox")
		got := only(t, in, rule("r", when(
			fmt.Sprintf("action.dataClassification == %q", want),
			fmt.Sprintf("risk.score == %s && risk.baseScore == %s", in.Assessment.Score, in.Assessment.Base),
		)))
		if got == nil || got.Err != nil {
			t.Errorf("claimed %q: got %+v; factors %+v", claimed, got, in.Assessment.Factors)
		}
	}
}

// Expressions that take far longer than they look like, or try to. Each has to
// be refused, or stopped, or done within a second, with memory to match.
func TestPathologicalExpressions(t *testing.T) {
	t.Parallel()
	text := fmt.Sprintf(`{"text": %q, "l": [], "n": 1000000000}`, strings.Repeat("a", 20_000))
	list := `{"text": "a", "n": 1, "l": ["` + strings.Repeat(`a","`, 5_000) + `"]}`
	numbers := `{"text": "a", "n": 1, "l": [0` + strings.Repeat(`,1`, 8_000) + `]}`
	deep := `{"text": "a", "n": 1, "l": [` + strings.Repeat("[", 29) + strings.Repeat("]", 29) + `]}`
	p, l := "action.parameters.text", "action.parameters.l"
	for _, expression := range []string{
		p + ".split('').all(c, c == 'a')",
		p + ".split('').map(c, c + c).join('').size() > 0",
		p + ".replace('', 'aaaaaaaaaa').size() > 0",
		p + ".matches('(x+x+)+y')",
		p + ".matches('((a|a)*)*b')",
		p + ".matches('(a?){150}a{150}b')",
		p + ".findAll('a').size() > 0",
		p + ".contains(" + p + ")",
		"'%s%s%s%s'.format([" + p + "," + p + "," + p + "," + p + "]).size() > 0",
		"'%.999999999f'.format([1.0]).size() > 0",
		"[" + p + "+" + p + "].all(a, [a+a].all(b, [b+b].all(c, (c+c).size() > 0)))",
		"lists.range(10000).map(i, " + p + ".size()).size() > 0",
		"lists.range(10000).all(i, " + p + " == " + p + ")",
		"lists.range(10000).all(i, now.getHours('Europe/Berlin') >= 0)",
		"lists.range(10000).all(i, '%f'.format([1.0]) != '')",
		"[1,2].all(i, lists.range(action.parameters.?n.orValue(1) > 5 ? 10000 : 3).size() > 0)",
		l + ".all(x, x != 'never')",
		l + ".all(x, " + l + ".all(y, x != y || true))",
		l + ".distinct().size() >= 0",
		l + ".exists(x, x in " + l + ".slice(0, 1))",
		l + ".all(x, " + l + " == " + l + ")",
		l + ".map(x, [x, x]).map(x, [x, x]).flatten().size() >= 0",
		l + ".filter(x, x != 'a').size() >= 0",
		"sets.contains(" + l + ", " + l + ")",
		"sets.equivalent(" + l + ", " + l + ".reverse())",
		"[" + l + ", " + l + "].distinct().size() > 0",
		l + ".transformMap(i, x, x).size() >= 0",
		l + ".map(x, string(x)).sort().size() >= 0",
		l + ".sortBy(x, string(x)).size() >= 0",
		l + ".indexOf(" + l + ") >= -1",
		"{'a': " + l + "} == {'a': " + l + "}",
		"optional.of(" + l + ") == optional.of(" + l + ")",
		"{'a': true}[dyn(" + l + ")]",
	} {
		r := shared().Compile(rule("r", when(expression)))
		if r.Err() != nil {
			continue // refused
		}
		for name, parameters := range map[string]string{"text": text, "list": list, "numbers": numbers, "deep": deep} {
			begun := time.Now()
			evaluate(t, asked(t, parameters), nil, NewIndex([]*Rule{r}))
			if took := time.Since(begun); took > patience {
				t.Errorf("%s took %s on %s", expression, took, name)
			}
		}
	}
}

// patience is how long one rule may take in a test on a machine that is busy
// with other things and looks for data races.
const patience = 30 * time.Second

// Calls that are refused while they run say why.
func TestGuards(t *testing.T) {
	t.Parallel()
	list := `{"n": 20000, "l": ["` + strings.Repeat(`a","`, 5_000) + `"]}`
	for _, expression := range []string{
		"sets.contains(action.parameters.l, action.parameters.l)", "action.parameters.l.distinct().size() > 0",
	} {
		got := only(t, asked(t, list), rule("r", onError(v1alpha1.OnErrorSkip), when(expression)))
		if got == nil || got.Effect != v1alpha1.EffectRequireApproval || !strings.Contains(fmt.Sprint(got.Err), "cost limit exceeded") {
			t.Errorf("%s: got %+v, want RequireApproval for its cost", expression, got)
		}
	}
	list5001 := types.DefaultTypeAdapter.NativeToValue(make([]string, 5001))
	if err := guardPairs([]ref.Val{list5001, list5001}); err == nil ||
		err.Error() != "lists of 5001 and 5001 elements are too long to compare each with each; use shorter lists" {
		t.Errorf("got %v", err)
	}
	if err := guardRange([]ref.Val{types.Int(maxRange + 1)}); err == nil || err.Error() != "lists.range(10001) is too long, the limit is 10000" {
		t.Errorf("got %v", err)
	}
	if err := guardRange([]ref.Val{types.Int(maxRange)}); err != nil {
		t.Errorf("got %v", err)
	}
}
