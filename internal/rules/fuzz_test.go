// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// slow is how long compiling an expression or evaluating the fixed rules may take.
const slow = 10 * time.Second

// FuzzCompile: whatever an expression is, compiling and evaluating it never
// panics, ends soon, and an error asks a human.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		holds, fails, "", "true", "(", "'", "\x00", "action", "action.x", "1/0 == 1", "[1][2] == 1", "{}[1] == 2",
		"action.parameters.tags.all(t, t.matches('^[a-z]+$'))", "action.parameters.?a.orValue('x') == 'x'",
		"[action.parameters].map(a, [a, a]).map(b, [b, b]) == []", "action.parameters.text.replace('a', action.parameters.text) == ''",
		"optional.of(1).optMap(x, [x, x]).hasValue()", "lists.range(10).map(i, lists.range(i)).flatten().sum() > 3",
		"'%s %.3f'.format([action.parameters, 1.0]) != ''", "now.getHours('Nowhere/Land') > 1", "now.getHours(action.parameters.text) > 1",
		"action.parameters.tags.sortBy(t, t.size()).distinct().join(',') == ''", "dyn(action).name == agent.name",
		"sets.contains([[1]], [[1.0]])", "action.parameters.transformMap(k, v, [k, v]).size() > 0", "google.protobuf.Value{}",
		"b'a' in [b'a', b'b']", "{b'a': 1}.size() == 1", "type(action) == type(agent)", "quantity('x') == quantity('1')", "authorizer.path('/x')",
		"ascend.action{name: 'x'}", "`a` == 1", "action.`name` == 'x'", "\"\\U0010FFFF\" == 'x'", "duration('9999999h') > duration('1s')", "-9223372036854775808 - 1 < 0",
	} {
		f.Add(seed)
	}
	compiler := shared()
	f.Fuzz(func(t *testing.T, expression string) {
		begun := time.Now()
		for _, written := range []*v1alpha1.SmartRule{
			rule("condition", effect(v1alpha1.EffectAllow), when(expression)),
			rule("reason", because("", expression)),
		} {
			compiled := compiler.Compile(written)
			if err := compiled.Err(); err != nil && (err.Error() == "" || strings.ContainsAny(err.Error(), "\x00\x1b\u202e")) {
				t.Fatalf("not fit to be shown: %q", err)
			}
			for _, parameters := range []string{bulkDelete, `{}`, `{"text": [1], "tags": "x", "affected_rows": {}}`} {
				in := asked(t, parameters)
				evaluator := NewEvaluator(in, nil, NewIndex([]*Rule{compiled}))
				result, err := evaluator.Effects(context.Background(), in.Assessment)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range result.Matched {
					checkMatch(t, m)
				}
				if compiled.Err() != nil && len(result.Matched) != 1 {
					t.Fatal("a broken rule does not ask a human")
				}
			}
		}
		if took := time.Since(begun); took > slow {
			t.Fatalf("took %s", took)
		}
	})
}

// FuzzEvaluate: whatever the parameters are, evaluating never panics and no
// error ever becomes an Allow.
func FuzzEvaluate(f *testing.F) {
	for _, seed := range []string{
		bulkDelete, `{}`, `null`, `[]`, `{"affected_rows": "150"}`, `{"affected_rows": null}`, `{"affected_rows": 1e400}`, `{"affected_rows": -0.0}`,
		`{"tags": ["a", 1, null, {}]}`, `{"tags": {"a": 1}}`, `{"text": "\u202e\u0000\ud800"}`, `{"nested": {"x": {"x": {"x": []}}}}`,
		`{"text": 5, "tags": [[[]]], "nested": []}`, `{"": "", " ": 1, "__proto__": 1}`, `{"ip": "::ffff:10.0.0.1"}`, `{"ip": "10.0.0.256"}`,
	} {
		f.Add(seed)
	}
	ix := fixedRules()
	f.Fuzz(func(t *testing.T, parameters string) {
		action := &v1alpha1.AgentAction{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", CreationTimestamp: metav1.NewTime(submitted)}}
		action.Spec.ActionType = "database_delete"
		action.Spec.Parameters = &runtime.RawExtension{Raw: []byte(parameters)}
		req, err := request.Read(action, v1alpha1.Requester{}, nil)
		if err != nil {
			return
		}
		in := asked(t, `{}`)
		in.Request = req
		ctx, cancel := context.WithTimeout(context.Background(), slow)
		defer cancel()
		var results []Result
		for range 2 {
			evaluator := NewEvaluator(in, ix, ix)
			first, err := evaluator.Adjustments(ctx)
			if err != nil {
				t.Fatal(err)
			}
			second, err := evaluator.Effects(ctx, in.Assessment)
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, Result{Matched: append(first.Matched, second.Matched...), Near: append(first.Near, second.Near...)})
		}
		for i, m := range results[0].Matched {
			checkMatch(t, m)
			again := results[1].Matched[i]
			if m.Rule != again.Rule || m.Effect != again.Effect || m.Reason != again.Reason || m.Note != again.Note {
				t.Fatalf("the same input has two results:\n%+v\n%+v", m, again)
			}
			if errors.Is(m.Err, context.DeadlineExceeded) {
				t.Fatal("took too long")
			}
		}
	})
}

// fixedRules are an index of rules that look at every parameter in every way.
func fixedRules() *Index {
	var written []*v1alpha1.SmartRule
	policies := []v1alpha1.ErrorPolicy{v1alpha1.OnErrorRequireApproval, v1alpha1.OnErrorMatch, v1alpha1.OnErrorSkip}
	kinds := []func(*v1alpha1.SmartRule){effect("Deny"), effect("Allow"), effect("RequireApproval"), adjust("-1.0"), adjust("+1.0")}
	for i, expression := range []string{
		holds, "action.parameters.text.matches('^[a-z]+$')", "action.parameters.tags.all(t, t.size() > 0)", "action.parameters.nested.x == 1",
		"cidr('10.0.0.0/8').containsIP(action.parameters.ip)", "action.parameters.?affected_rows.orValue(0) > 1", "action.parameters.all(k, v, k != 'x')",
		"action.parameters.tags.distinct().size() > 1", "'%s'.format([action.parameters]) != ''", "action.parameters.affected_rows / 2 > 1",
		"string(action.parameters.affected_rows) == '1'", "timestamp(action.parameters.text) < now", "quantity(action.parameters.text).isInteger()",
		"action.parameters.tags[0] == action.parameters.text", "action.parameters.tags.map(t, t + t).join(',').size() > 3", "action.parameters.flag",
		"action.parameters == {'a': 1}", "action.parameters.text in action.parameters.tags", "now.getHours(action.parameters.text) > 3",
	} {
		for j, kind := range kinds {
			name := strings.Repeat("r", i+1) + string(rune('a'+j))
			written = append(written, rule(name, global, kind, onError(policies[(i+j)%3]), when(expression), because("", "string(action.parameters.text)")))
		}
	}
	return indexed(written...)
}
