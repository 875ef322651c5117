// SPDX-License-Identifier: Apache-2.0

package e2e

import "slices"

// chapter is a part of the script about one thing.
type chapter struct {
	title  string
	scenes []scene
}

// script is played from the top. What the agent asks for is in config/samples.
var script = slices.Concat(approving, asking, authoring, completing)

// approving is what the people do who decide.
var approving = []chapter{
	{"kubectl finds the plugins", []scene{
		{name: "lists them", as: "admin", command: "kubectl plugin list --name-only",
			out: []string{"kubectl-approve\n", "kubectl-ascend\n", "kubectl-deny\n"}, not: []string{"kubectl_complete"}},
		{name: "approve", as: "admin", command: "kubectl approve --help", out: []string{"kubectl approve NAME", "Exit codes: 0"}},
		{name: "deny", as: "admin", command: "kubectl deny --help", out: []string{"kubectl deny NAME", "Exit codes: 0"}},
		{name: "ascend", as: "admin", command: "kubectl ascend actions list --help", out: []string{"kubectl ascend actions list [flags]"}},
		{name: "and its version", as: "admin", command: "kubectl ascend version", out: []string{"ascend "}},
	}},
	{"What is wrong is told by exit codes", []scene{
		{name: "no name: wrong usage", as: "alice", command: "kubectl approve", exit: 2, errOut: []string{"See: kubectl approve --help"}},
		{name: "an unknown flag: wrong usage", as: "alice", command: "kubectl deny x --because y", exit: 2, errOut: []string{"--because", "See: kubectl deny --help"}},
		{name: "an unknown command: wrong usage", as: "alice", command: "kubectl ascend actons", exit: 2, errOut: []string{"did you mean actions?"}},
		{name: "an unknown format: wrong usage", as: "alice", command: "kubectl ascend actions list -o pdf", exit: 2, errOut: []string{`"pdf"`}},
		{name: "nothing of that name: failed", as: "alice", command: "kubectl approve nothing", exit: 1, errOut: []string{"nothing", "default"}},
		{name: "no such context: failed", as: "alice", command: "kubectl ascend actions list --context lost", exit: 1, errOut: []string{"lost", "--context"}},
		{name: "no cluster there: failed", as: "nowhere", command: "kubectl ascend actions list", exit: 1, errOut: []string{"127.0.0.1:1", "--kubeconfig"}},
		{name: "no permission: failed", as: "stranger", command: "kubectl ascend actions list", exit: 1, errOut: []string{"stranger", "cannot list"}},
		{name: "nothing there yet: done", as: "alice", command: "kubectl ascend actions list", errOut: []string{"No actions"}},
	}},
	{"An action that waits is approved", []scene{
		{name: "the agent asks", as: "agent", command: "kubectl apply -f config/samples/update-billing-address.yaml", out: []string{"created"}},
		{name: "it waits", as: "alice", command: decided("update-billing-address", "Pending"), out: []string{"condition met"}},
		{name: "it is in the list", as: "alice", command: "kubectl ascend actions list", out: []string{"update-billing-address", "HIGH", "PENDING"}},
		{name: "and explained", as: "alice", command: "kubectl ascend explain update-billing-address", out: []string{"update-billing-address", "7.2", "ascend-approvers"}},
		{name: "it is in the inbox of who can approve", as: "alice", command: "kubectl ascend inbox", out: []string{"update-billing-address", "HIGH 7.2"}},
		{name: "of nobody else", as: "dave", command: "kubectl ascend inbox", not: []string{"update-billing-address"}},
		{name: "and reviewed", as: "alice", command: "kubectl ascend review update-billing-address",
			out: []string{"Update customer billing address", "BINDS TO", "sha256:"}},
		{name: "what was reviewed, or nothing", as: "alice", command: "kubectl approve update-billing-address --digest sha256:000000000000", exit: 1, errOut: []string{"digest"}},
		{name: "not from another namespace", as: "elsewhere", command: "kubectl approve update-billing-address", exit: 1, errOut: []string{"kube-public"}},
		{name: "not by the agent", as: "agent", command: "kubectl approve update-billing-address", exit: 1, errOut: []string{"submitted this action"}},
		{name: "not by a stranger", as: "stranger", command: "kubectl approve update-billing-address", exit: 1, errOut: []string{"stranger"}},
		{name: "alice could", as: "alice", command: "kubectl approve update-billing-address --dry-run", out: []string{"dry run", "nothing was written"}},
		{name: "which left no trace", as: "alice", command: "kubectl ascend actions list -o jsonpath='{.items[0].metadata.name}: {.items[0].spec.approvals}'",
			out: []string{"update-billing-address: "}, not: []string{"alice"}},
		{name: "the administrator, in her name and group", as: "admin", command: "kubectl approve update-billing-address --as alice --as-group ascend-approvers --comment 'Verified by phone'",
			out: []string{"you count as group:ascend-approvers", "approved: update-billing-address may run until"}},
		{name: "once", as: "carol", command: "kubectl approve update-billing-address", exit: 1, errOut: []string{"update-billing-address", "approved"}},
		{name: "who and why is explained", as: "alice", command: "kubectl ascend explain update-billing-address", out: []string{"APPROVED", "alice", "Verified by phone"}},
	}},
	{"An action that waits is denied", []scene{
		{name: "the agent asks again", as: "agent", command: again("refund"), out: []string{"created"}},
		{name: "it waits", as: "alice", command: decided("refund", "Pending"), out: []string{"condition met"}},
		{name: "a reason is needed", as: "alice", command: "kubectl deny refund", exit: 2, errOut: []string{"--reason"}},
		{name: "by another context and namespace", as: "elsewhere", command: "kubectl deny refund --reason 'wrong customer' --context carol -n default", out: []string{"denied: refund may not run"}},
		{name: "which the agent is told", as: "agent", command: "kubectl ascend explain refund", out: []string{"DENIED", "wrong customer", "carol"}},
	}},
	{"Output for programs", []scene{
		{name: "names", as: "alice", command: "kubectl ascend actions list -o name", out: []string{"agentaction.governance.ascendowkai.com/refund\n"}},
		{name: "names that kubectl takes", as: "alice", command: "kubectl get -o name $(kubectl ascend actions list -o name)", out: []string{"/refund\n", "/update-billing-address\n"}},
		{name: "JSON", as: "alice", command: "kubectl ascend actions list -o json", out: []string{`"kind": "AgentAction"`, `"decision": "Denied"`}},
		{name: "JSON that kubectl reads", as: "admin", command: "kubectl ascend actions list -o json | kubectl get -o name -f -", out: []string{"/refund\n"}},
		{name: "YAML that kubectl reads", as: "admin", command: "kubectl ascend actions list -o yaml | kubectl get -o name -f -", out: []string{"/refund\n"}},
		{name: "JSONPath", as: "alice", command: `kubectl ascend actions list -o jsonpath='{range .items[*]}{.metadata.name}={.status.decision}{"\n"}{end}'`,
			out: []string{"update-billing-address=Approved\n", "refund=Denied\n"}},
		{name: "every namespace", as: "admin", command: "kubectl ascend actions list -A", out: []string{"default", "refund"}},
		{name: "every namespace needs the right", as: "agent", command: "kubectl ascend actions list -A", exit: 1, errOut: []string{"cannot list"}},
		{name: "no colours in a pipe", as: "alice", command: "kubectl ascend explain refund", not: []string{"\x1b["}},
	}},
}

// completing is what a shell does when somebody presses Tab.
var completing = []chapter{
	{"Completion", []scene{
		{name: "the agent asks once more", as: "agent", command: again("address"), out: []string{"created"}},
		{name: "it waits", as: "alice", command: decided("address", "Pending")},
		{name: "plugins", as: "alice", command: `kubectl __complete appr`, out: []string{"approve\t"}},
		{name: "what waits", as: "alice", command: `kubectl __complete approve ""`, out: []string{"address\t", ":36\n"}, not: []string{"refund"}},
		{name: "in a namespace", as: "elsewhere", command: `kubectl __complete deny -n default ""`, out: []string{"address\t"}},
		{name: "nothing in another", as: "elsewhere", command: `kubectl __complete approve ""`, out: []string{":36\n"}, not: []string{"address\t"}},
		{name: "commands", as: "alice", command: `kubectl __complete ascend actions li`, out: []string{"list\t"}},
		{name: "flags", as: "alice", command: `kubectl __complete approve --dry`, out: []string{"--dry-run\t"}},
		{name: "namespaces", as: "admin", command: `kubectl __complete ascend explain -n ""`, out: []string{"ascend-system\n", "kube-public\n"}},
		{name: "contexts", as: "alice", command: `kubectl __complete approve --context ""`, out: []string{"elsewhere\t", "carol\t"}},
		{name: "formats", as: "alice", command: `kubectl __complete ascend actions list -o ""`, out: []string{"jsonpath", "wide\n"}},
		{name: "without a cluster, nothing and soon", as: "nowhere", command: `timeout 20 kubectl __complete approve ""`, not: []string{"address"}},
		{name: "in bash", as: "alice", command: pressTab, out: []string{"COMPREPLY: approve\n"}},
	}},
}

// pressTab completes `ascend appr` as bash does, by the script that
// ascend prints. The function in it comes with the package bash-completion.
const pressTab = `
_get_comp_words_by_ref() { words=("${COMP_WORDS[@]}"); cword=$COMP_CWORD; cur=${words[cword]}; prev=${words[cword-1]}; }
source <(ascend completion bash)
COMP_TYPE=9 COMP_LINE='ascend appr' COMP_POINT=11 COMP_WORDS=(ascend appr) COMP_CWORD=1
__start_ascend 2>/dev/null
echo "COMPREPLY: ${COMPREPLY[*]}"`

// again is the request of a sample once more, under another name.
func again(name string) string {
	return "sed 's/name: update-billing-address/name: " + name + "/' config/samples/update-billing-address.yaml | kubectl apply -f -"
}

// decided waits until the operator has decided so about an action.
func decided(name, decision string) string {
	return "kubectl wait agentaction/" + name + " --for=jsonpath='{.status.decision}'=" + decision + " --timeout=30s"
}
