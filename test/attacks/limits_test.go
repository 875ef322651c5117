// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

func init() {
	attacks = append(attacks, requestAttacks...)
	attacks = append(attacks, boundAttacks...)
	attacks = append(attacks, secretAttacks...)
}

// post creates an object from its text as it stands.
func (s *scene) post(ctx context.Context, by person, resource, query, text string) error {
	GinkgoHelper()
	return s.send(ctx, by, http.MethodPost, resource, query, text)
}

// send makes one request, once, whatever the answer, which it returns as an
// error if it is none of success.
func (s *scene) send(ctx context.Context, by person, method, path, query, text string) error {
	GinkgoHelper()
	api, err := rest.HTTPClientFor(by.config)
	Expect(err).NotTo(HaveOccurred())
	at, err := url.Parse(by.config.Host)
	Expect(err).NotTo(HaveOccurred())
	at = at.JoinPath("apis", v1alpha1.GroupVersion.Group, v1alpha1.GroupVersion.Version, "namespaces", s.namespace, path)
	at.RawQuery = query
	request, err := http.NewRequestWithContext(ctx, method, at.String(), strings.NewReader(text))
	Expect(err).NotTo(HaveOccurred())
	request.Header.Set("Content-Type", "application/json")
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", string(types.MergePatchType))
	}
	response, err := api.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	Expect(err).NotTo(HaveOccurred())
	if response.StatusCode < http.StatusMultipleChoices {
		return nil
	}
	after := ""
	if seconds := response.Header.Get("Retry-After"); seconds != "" {
		after = ", Retry-After: " + seconds
	}
	return fmt.Errorf("%s%s: %s", response.Status, after, answer)
}

// Requests that are too large, or that can be read in two ways.
var requestAttacks = []*attack{
	oversized("parameters of more than 64 KiB", `{"a":"`+strings.Repeat("x", 64<<10)+`"}`,
		"spec.parameters has 65544 bytes of JSON, the limit is 65536 (64 KiB)", "submit a reference to the data"),
	oversized("parameters of more than 512 KiB", `{"a":"`+strings.Repeat("x", 512<<10)+`"}`,
		"the limit is 524288 (512 KiB)", "submit a reference to the data"),
	oversized("parameters 33 levels deep", strings.Repeat(`{"a":`, 33)+"1"+strings.Repeat("}", 33),
		"spec.parameters is nested 33 levels deep, the limit is 32", "flatten it"),
	oversized("parameters with 10,000 keys", `{`+keys(10_000)+`}`, "spec.parameters has ", "the limit is 65536 (64 KiB)", "submit a reference to the data"),
	oversized("parameters with more keys than the limit, that are short", `{`+keys(1001)+`}`, "spec.parameters has 1001 keys, the limit is 1000"),
	oversized("parameters with more keys than the limit, in the objects of a list", `{"l":[`+strings.TrimSuffix(strings.Repeat(`{"":1},`, 5000), ",")+`]}`,
		"spec.parameters has 5001 keys, the limit is 1000"),
	oversized("a whole number that readers of JSON round", `{"amount":9007199254740993}`,
		"spec.parameters has the whole number 9007199254740993", "beyond 2^53", "write it as a string"),
	oversized("a negative whole number that readers of JSON round, deep inside", `{"a":[{"b":-9007199254740995}]}`,
		"spec.parameters has the whole number 9007199254740995", "beyond 2^53", "write it as a string"),
	malformed("parameters 20,000 levels deep", "", `{"a":`+strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)+`}`, "exceeded max depth"),
	malformed("a key twice in one object, where fields are validated strictly", "fieldValidation=Strict", `{"amount":1,"amount":1000000}`, "duplicate field"),
	{
		number: 29, name: "a key twice in one object",
		attempt: func(ctx context.Context, s *scene) error {
			return s.post(ctx, s.agent, "agentactions", "", s.text(`{"amount":1,"amount":1000000}`))
		},
		up: without("the last one is asked for, sealed and decided about", func(ctx context.Context, s *scene) {
			var all v1alpha1.AgentActionList
			Expect(lab.admin.List(ctx, &all)).To(Succeed())
			i := slices.IndexFunc(all.Items, func(a v1alpha1.AgentAction) bool { return a.Namespace == s.namespace })
			s.action = &all.Items[i]
			s.awaitDecision(ctx, s.action, v1alpha1.DecisionPending)
			Expect(string(s.action.Spec.Parameters.Raw)).To(MatchJSON(`{"amount":1000000}`))
			Expect(s.action.Status.Risk.Factors).To(ContainElement(HaveField("Value", ContainSubstring("1000000"))))
		}),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	},
}

// keys are that many keys of one object, as short as can be.
func keys(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf(`"%x":1`, i))
	}
	return strings.Join(all, ",")
}

// text is an action with those parameters as they are written.
func (s *scene) text(parameters string) string {
	return fmt.Sprintf(`{"apiVersion":%q,"kind":"AgentAction","metadata":{"generateName":"act-","namespace":%q},`+
		`"spec":{"agentRef":{"name":"agent"},"actionType":"financial.transfer","resource":"account","parameters":%s}}`,
		v1alpha1.GroupVersion, s.namespace, parameters)
}

func oversized(name, parameters string, says ...string) *attack {
	return &attack{
		number: 29, name: name,
		attempt: func(ctx context.Context, s *scene) error {
			return s.post(ctx, s.agent, "agentactions", "", s.text(parameters))
		},
		up:      refusedBy("webhook", says...),
		deleted: refusedBy("policy", "ascend-agentaction-identity", "kubectl"),
	}
}

// malformed is what the API server refuses before it asks anybody.
func malformed(name, query, parameters string, says ...string) *attack {
	refused := refusedBy("API server", says...)
	return &attack{
		number: 29, name: name,
		attempt: func(ctx context.Context, s *scene) error {
			return s.post(ctx, s.agent, "agentactions", query, s.text(parameters))
		},
		up: refused, down: refused, deleted: refused,
	}
}
