// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
)

// finding is what is wrong with one object of the configuration of admission.
type finding struct {
	// weak are the ways in which it lets through what was shipped to be held.
	weak []string
	// shut are the ways in which it refuses everything, which harms nobody but
	// those who wait.
	shut []string
}

// compare says how an object in the cluster, nil when there is none, holds
// less than the one that was shipped. More than was shipped is no finding: other
// webhooks, more rules, more actions of a binding. By which certificate webhooks
// are served is not compared: the operator sees to that, or cert-manager. Where
// they are served by URL it has to be at one of the hosts. It is an error when an
// object is of a kind that it does not know, or cannot be read as that kind.
func compare(shipped, live *unstructured.Unstructured, hosts []string) (finding, error) {
	if live == nil {
		return finding{weak: []string{"it is missing"}}, nil
	}
	switch kind := shipped.GetKind(); kind {
	case "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration":
		// What is compared of webhooks is the same in both kinds.
		return compareAs(shipped, live, func(shipped, live *admissionregistrationv1.ValidatingWebhookConfiguration) finding {
			return compareWebhooks(shipped, live, hosts)
		})
	case "ValidatingAdmissionPolicy":
		return compareAs(shipped, live, comparePolicy)
	case "ValidatingAdmissionPolicyBinding":
		return compareAs(shipped, live, compareBinding)
	default:
		return finding{}, fmt.Errorf("%s %s: nobody knows how to compare this kind", kind, shipped.GetName())
	}
}

func compareAs[T any](shipped, live *unstructured.Unstructured, compare func(shipped, live *T) finding) (finding, error) {
	var as [2]T
	for i, object := range []*unstructured.Unstructured{shipped, live} {
		text, err := object.MarshalJSON()
		if err == nil {
			err = json.Unmarshal(text, &as[i])
		}
		if err != nil {
			return finding{}, fmt.Errorf("read %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	return compare(&as[0], &as[1]), nil
}

func compareWebhooks(shipped, live *admissionregistrationv1.ValidatingWebhookConfiguration, hosts []string) finding {
	var f finding
	for i := range shipped.Webhooks {
		want := &shipped.Webhooks[i]
		at := slices.IndexFunc(live.Webhooks, func(w admissionregistrationv1.ValidatingWebhook) bool { return w.Name == want.Name })
		if at < 0 {
			f.weak = append(f.weak, fmt.Sprintf("webhook %s is missing", want.Name))
			continue
		}
		got := &live.Webhooks[at]
		for _, gap := range append(webhookGaps(want, got), elsewhere(want.ClientConfig, got.ClientConfig, hosts)...) {
			f.weak = append(f.weak, fmt.Sprintf("webhook %s: %s", want.Name, gap))
		}
		if got.ClientConfig.Service != nil && len(got.ClientConfig.CABundle) == 0 {
			f.shut = append(f.shut, fmt.Sprintf("webhook %s: clientConfig.caBundle is empty, so nobody can reach it", want.Name))
		}
	}
	return f
}

// webhookGaps are the ways in which a webhook is asked less than another, or
// heeded less.
func webhookGaps(want, got *admissionregistrationv1.ValidatingWebhook) []string {
	var gaps []string
	if failurePolicy(want.FailurePolicy) == admissionregistrationv1.Fail && failurePolicy(got.FailurePolicy) != admissionregistrationv1.Fail {
		gaps = append(gaps, fmt.Sprintf("failurePolicy is %s, not Fail", *got.FailurePolicy))
	}
	if matchPolicy(want.MatchPolicy) == admissionregistrationv1.Equivalent && matchPolicy(got.MatchPolicy) != admissionregistrationv1.Equivalent {
		gaps = append(gaps, fmt.Sprintf("matchPolicy is %s, not Equivalent", *got.MatchPolicy))
	}
	if !sameSelector(want.NamespaceSelector, got.NamespaceSelector) {
		gaps = append(gaps, "namespaceSelector leaves out namespaces: "+metav1.FormatLabelSelector(got.NamespaceSelector))
	}
	if !sameSelector(want.ObjectSelector, got.ObjectSelector) {
		gaps = append(gaps, "objectSelector leaves out objects: "+metav1.FormatLabelSelector(got.ObjectSelector))
	}
	if missing := uncovered(want.Rules, got.Rules); len(missing) > 0 {
		gaps = append(gaps, "rules do not cover "+strings.Join(missing, ", "))
	}
	for _, condition := range got.MatchConditions {
		shipped := slices.ContainsFunc(want.MatchConditions, func(c admissionregistrationv1.MatchCondition) bool {
			return strings.TrimSpace(c.Expression) == strings.TrimSpace(condition.Expression)
		})
		if !shipped {
			gaps = append(gaps, fmt.Sprintf("matchConditions leave out requests: %s is not as shipped", condition.Name))
		}
	}
	return gaps
}

// elsewhere are the ways in which somebody else is asked than the operator.
func elsewhere(want, got admissionregistrationv1.WebhookClientConfig, hosts []string) []string {
	const advice = "somebody else is asked in place of the operator: "
	switch {
	case want.Service == nil:
		if ptr.Deref(want.URL, "") != ptr.Deref(got.URL, "") || got.Service != nil {
			return []string{advice + "clientConfig.url is not as shipped"}
		}
	case got.Service != nil:
		if address(got.Service) != address(want.Service) {
			return []string{fmt.Sprintf("%sclientConfig.service is %s, not %s", advice, address(got.Service), address(want.Service))}
		}
	case got.URL == nil: // the API server does not take that
		return []string{advice + "clientConfig has neither service nor url"}
	default:
		at, err := url.Parse(*got.URL)
		if err != nil || at.Scheme != "https" || at.Path != ptr.Deref(want.Service.Path, "") || !slices.Contains(hosts, at.Hostname()) {
			return []string{fmt.Sprintf("%sclientConfig.url is %q, and has to be https, path %s, at one of --webhook-hosts, %s",
				advice, *got.URL, ptr.Deref(want.Service.Path, ""), strings.Join(hosts, ", "))}
		}
	}
	return nil
}

// address is a Service as people read it, with what is left out.
func address(s *admissionregistrationv1.ServiceReference) string {
	return fmt.Sprintf("%s/%s:%d%s", s.Namespace, s.Name, ptr.Deref(s.Port, 443), ptr.Deref(s.Path, ""))
}

// uncovered are the requests, such as "CREATE agentactions", that a rule of the
// first list speaks of and none of the second.
func uncovered(want, got []admissionregistrationv1.RuleWithOperations) []string {
	var missing []string
	for _, rule := range want {
		for _, operation := range rule.Operations {
			for _, group := range rule.APIGroups {
				for _, version := range rule.APIVersions {
					for _, resource := range rule.Resources {
						covered := slices.ContainsFunc(got, func(r admissionregistrationv1.RuleWithOperations) bool {
							return has(r.Operations, operation) && has(r.APIGroups, group) && has(r.APIVersions, version) &&
								hasResource(r.Resources, resource) && inScope(r.Scope, rule.Scope)
						})
						if !covered {
							missing = append(missing, fmt.Sprintf("%s %s", operation, resource))
						}
					}
				}
			}
		}
	}
	return missing
}

// has says whether a list of a rule speaks of a word.
func has[S ~string](list []S, word S) bool {
	return slices.Contains(list, word) || slices.Contains(list, "*")
}

// hasResource knows the two ways to speak of all: "*" is every resource without
// its subresources, "*/*" is both, and "pods/*" all subresources of pods.
func hasResource(list []string, resource string) bool {
	if slices.Contains(list, resource) || slices.Contains(list, "*/*") {
		return true
	}
	name, subresource, isSub := strings.Cut(resource, "/")
	if !isSub {
		return slices.Contains(list, "*")
	}
	return slices.Contains(list, name+"/*") || slices.Contains(list, "*/"+subresource)
}

func inScope(got, want *admissionregistrationv1.ScopeType) bool {
	wide := ptr.Deref(got, admissionregistrationv1.AllScopes)
	return wide == admissionregistrationv1.AllScopes || wide == ptr.Deref(want, admissionregistrationv1.AllScopes)
}

// comparePolicy tells every change of the spec, for nobody can say of another
// expression whether it holds less.
func comparePolicy(shipped, live *admissionregistrationv1.ValidatingAdmissionPolicy) finding {
	want, got := &shipped.Spec, &live.Spec
	var f finding
	if failurePolicy(want.FailurePolicy) == admissionregistrationv1.Fail && failurePolicy(got.FailurePolicy) != admissionregistrationv1.Fail {
		f.weak = append(f.weak, fmt.Sprintf("spec.failurePolicy is %s, not Fail", *got.FailurePolicy))
	}
	for _, field := range []struct {
		name      string
		want, got any
	}{
		{"paramKind", want.ParamKind, got.ParamKind},
		{"matchConstraints", written(want.MatchConstraints), written(got.MatchConstraints)},
		{"matchConditions", want.MatchConditions, got.MatchConditions},
		{"variables", want.Variables, got.Variables},
		{"validations", want.Validations, got.Validations},
	} {
		if !equality.Semantic.DeepEqual(field.want, field.got) {
			f.weak = append(f.weak, fmt.Sprintf("spec.%s is not as shipped", field.name))
		}
	}
	return f
}

func compareBinding(shipped, live *admissionregistrationv1.ValidatingAdmissionPolicyBinding) finding {
	want, got := &shipped.Spec, &live.Spec
	var f finding
	if got.PolicyName != want.PolicyName {
		f.weak = append(f.weak, fmt.Sprintf("spec.policyName is %s, not %s", got.PolicyName, want.PolicyName))
	}
	if !equality.Semantic.DeepEqual(want.ParamRef, got.ParamRef) {
		f.weak = append(f.weak, "spec.paramRef is not as shipped")
	}
	if !equality.Semantic.DeepEqual(written(want.MatchResources), written(got.MatchResources)) {
		f.weak = append(f.weak, "spec.matchResources leaves out requests")
	}
	if slices.Contains(want.ValidationActions, admissionregistrationv1.Deny) && !slices.Contains(got.ValidationActions, admissionregistrationv1.Deny) {
		f.weak = append(f.weak, fmt.Sprintf("spec.validationActions is %v, without Deny", got.ValidationActions))
	}
	return f
}

// written is the match with the API's defaults written out.
func written(match *admissionregistrationv1.MatchResources) *admissionregistrationv1.MatchResources {
	full := &admissionregistrationv1.MatchResources{}
	if match != nil {
		full = match.DeepCopy()
	}
	full.MatchPolicy = new(matchPolicy(full.MatchPolicy))
	for _, selector := range []**metav1.LabelSelector{&full.NamespaceSelector, &full.ObjectSelector} {
		if *selector == nil {
			*selector = &metav1.LabelSelector{}
		}
	}
	for _, rules := range [][]admissionregistrationv1.NamedRuleWithOperations{full.ResourceRules, full.ExcludeResourceRules} {
		for i := range rules {
			rules[i].Scope = new(ptr.Deref(rules[i].Scope, admissionregistrationv1.AllScopes))
		}
	}
	return full
}

func sameSelector(a, b *metav1.LabelSelector) bool {
	return equality.Semantic.DeepEqual(ptr.Deref(a, metav1.LabelSelector{}), ptr.Deref(b, metav1.LabelSelector{}))
}

func failurePolicy(p *admissionregistrationv1.FailurePolicyType) admissionregistrationv1.FailurePolicyType {
	return ptr.Deref(p, admissionregistrationv1.Fail)
}

func matchPolicy(p *admissionregistrationv1.MatchPolicyType) admissionregistrationv1.MatchPolicyType {
	return ptr.Deref(p, admissionregistrationv1.Equivalent)
}
