// SPDX-License-Identifier: Apache-2.0

package client

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
)

// explain turns an answer that is an error into one of this package's. status is
// nil where the answer has none, as of a path that the API server does not know.
func (c *Client) explain(r *call, got *answer, status *metav1.Status) error {
	problem := Problem{Status: got.code}
	said := strings.TrimSpace(http.StatusText(got.code))
	if status != nil {
		problem.Reason = string(status.Reason)
		said = refusal(status.Message)
	}
	problem.Message = "cannot " + r.doing() + " in namespace " + c.options.Namespace + ": " + said
	switch {
	case got.code == http.StatusUnauthorized:
		return c.unknown(problem)
	case got.code == http.StatusForbidden:
		return c.forbidden(r, problem, said, status)
	case got.code == http.StatusNotFound:
		return c.missing(r, problem, status)
	case got.code == http.StatusConflict:
		return &ConflictError{Problem: problem}
	case got.code == http.StatusTooManyRequests:
		after := retryAfter(got.header, status)
		problem.Help = "Try again later; whoever manages the agent can raise spec.rateLimit."
		if after > 0 {
			problem.Help = fmt.Sprintf("Try again in %s; whoever manages the agent can raise spec.rateLimit.", after.Round(time.Second))
		}
		return &RateLimitError{Problem: problem, RetryAfter: after}
	case got.code == http.StatusUnprocessableEntity, got.code == http.StatusBadRequest:
		return c.invalid(problem, status)
	case strings.Contains(said, "failed calling webhook"):
		problem.Help = operatorHelp
		return &OperatorAbsentError{WaitTimeoutError{Problem: problem}}
	default:
		failed := &ServerError{problem}
		if !failed.passes() {
			failed.Help = "Is the address that of the API server?"
		}
		return failed
	}
}

// operatorHelp says how to see what the operator does.
const operatorHelp = "Nothing was run. See whether the operator is there:\n  kubectl get pods -n " + v1alpha1.GlobalNamespace

// refusal is what admission said, without the words that the API server puts
// before it; any other message as it is.
func refusal(message string) string {
	for _, before := range []string{`" denied the request: `, `' denied request: `} { // of a webhook, of a policy
		if _, said, found := strings.Cut(message, before); found {
			return said
		}
	}
	return message
}

// cause is why admission refused, in CamelCase, and the field that is wrong.
func cause(status *metav1.Status) (why, field string) {
	if status == nil || status.Details == nil || len(status.Details.Causes) == 0 {
		return "", ""
	}
	first := status.Details.Causes[0]
	return string(first.Type), first.Field
}

func (c *Client) unknown(problem Problem) error {
	another := "For another, as somebody who manages agents, with ASCEND_API_KEY and ASCEND_API_URL unset:\n  ascend agents token " +
		orName(c.options.Agent) + " -n " + c.options.Namespace
	problem.Help = "It may have expired. " + another
	if expired := expiry(c.options.Config.BearerToken); !expired.IsZero() && time.Now().After(expired) {
		problem.Message += "; the key expired at " + expired.UTC().Format(time.RFC3339)
		problem.Help = another
	}
	return &AuthenticationError{problem}
}

func (c *Client) forbidden(r *call, problem Problem, said string, status *metav1.Status) error {
	if why, _ := cause(status); why == v1alpha1.ReasonAgentSuspended || why == v1alpha1.ReasonAgentRetired {
		return &SuspendedError{problem}
	}
	refused := &AuthorizationError{Problem: problem, Verb: r.verb, Resource: r.resource, Namespace: c.options.Namespace}
	// What admission says has its own way out; RBAC says none.
	if by := rbacRefusal.FindStringSubmatch(said); by != nil {
		if by[1] == user.Anonymous { // to whom nobody should grant anything
			problem.Message = "cannot " + r.doing() + " in namespace " + c.options.Namespace + ": the request had no credentials"
			problem.Help = "See what is wrong with the user of the kubeconfig, or the program that it names:\n  kubectl auth whoami"
			return &AuthenticationError{problem}
		}
		refused.Verb, refused.Resource = by[2], by[3]
		refused.Help = c.grant(refused, r.name, by[1])
	}
	return refused
}

// rbacRefusal is how the API server says that somebody holds no role for something.
// Source: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters, forbiddenMessage.
var rbacRefusal = regexp.MustCompile(`User "([^"]*)" cannot (\w+) resource "([a-z]+)"`)

// grant are the commands that let a user do what they were refused.
func (c *Client) grant(refused *AuthorizationError, name, by string) string {
	namespace := " -n " + c.options.Namespace
	who := "--user=" + strconv.Quote(by)
	if account, is := strings.CutPrefix(by, "system:serviceaccount:"); is {
		who = "--serviceaccount=" + account
	}
	help := "Whoever manages the namespace can allow it:\n  "
	if refused.Resource == "agentactions" {
		return help + "kubectl create rolebinding " + orName(c.options.Agent) + namespace + " --clusterrole=ascend-agent-submitter " + who
	}
	role, verbs, resource := name+"-"+refused.Resource, "create,get,patch", refused.Resource+"."+v1alpha1.GroupVersion.Group
	if refused.Resource == "secrets" {
		// Never create: who may make a Secret and read it has the token of any ServiceAccount there.
		help += "kubectl create secret generic " + name + namespace + "\n  "
		verbs, resource = "get,patch", "secrets"
	}
	return help + "kubectl create role " + role + namespace + " --verb=" + verbs + " --resource=" + resource + " --resource-name=" + name +
		"\n  kubectl create rolebinding " + role + namespace + " --role=" + role + " " + who
}

func (c *Client) missing(r *call, problem Problem, status *metav1.Status) error {
	switch {
	case status == nil:
		problem.Message = "cannot " + r.doing() + ": the API server at " + c.base.Host + " does not know the kinds of Ascend Operator"
		problem.Help = "Install it, or choose another cluster:\n  kubectl apply --server-side -k config/default"
		return &NotInstalledError{problem}
	case strings.Contains(status.Message, "namespaces "):
		problem.Help = "Choose another with Options.Namespace or ASCEND_NAMESPACE."
	default:
		problem.Help = "Those that there are:\n  kubectl get agentactions -n " + c.options.Namespace
	}
	return &NotFoundError{problem}
}

func (c *Client) invalid(problem Problem, status *metav1.Status) error {
	why, field := cause(status)
	if why == v1alpha1.ReasonAgentNotFound {
		problem.Message = "there is no agent " + c.options.Agent + " in namespace " + c.options.Namespace
		problem.Help = "Whoever manages the namespace can register it, and give you its key:\n  ascend agents register " + orName(c.options.Agent) + " -n " + c.options.Namespace +
			"\n  ascend agents token " + orName(c.options.Agent) + " -n " + c.options.Namespace
		return &AgentNotRegisteredError{NotFoundError: NotFoundError{problem}, Agent: c.options.Agent, Namespace: c.options.Namespace}
	}
	return &ValidationError{Problem: problem, Field: field}
}

// orName stands for the agent where it has no name.
func orName(agent string) string {
	if agent == "" {
		return "NAME"
	}
	return agent
}
