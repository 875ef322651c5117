// SPDX-License-Identifier: Apache-2.0

package e2e

const (
	// harmless is approved at once, bulk is denied by a rule, and personal waits.
	harmless = "kubectl ascend submit --agent-id tutorial-agent --type database_read --description 'Show categories' --param table=categories --param data_classification=public"
	bulk     = "kubectl ascend submit --agent-id tutorial-agent --type database_delete --description 'Delete users' --param table=users --param affected_rows:=150"
	personal = "kubectl ascend submit --agent-id tutorial-agent --type database_write --description 'Change an address' --param table=customers --param operation=UPDATE --param affected_rows:=1 --param data_classification=pii"
)

// hurried is what nobody decides about in time: the namespace's workflow hurry
// ends before anybody can have looked.
const (
	hurried = "kubectl ascend submit --agent-id tutorial-agent --type database_hurry --description 'Be quick' --param table=customers"
	hurry   = `{
		"apiVersion": "governance.ascendowkai.com/v1alpha1", "kind": "ApprovalWorkflow", "metadata": {"name": "hurry", "namespace": "default"},
		"spec": {"selector": {"actionTypes": ["database_hurry"]}, "timeout": "2s",
		"stages": [{"name": "soon", "approvers": {"groups": ["ascend-approvers"]}}]}}`
)

// withKey submits as the agent whose key it makes, with flags to come.
const withKey = `eval "$(ascend agents token stock-agent --export --ca-file "$STACK/stock.crt")" && ` +
	"ascend submit --type database_read --description 'Show stock' --param table=categories --param data_classification=public "

// asking is what agents and their developers do.
var asking = []chapter{
	{"An agent asks, and scripts see the decision by the exit code", []scene{
		{name: "approved: 0", as: "agent", command: harmless + " --name quick --wait=30s", out: []string{"quick"}},
		{name: "denied: 4", as: "agent", command: bulk + " --name bulk --wait=30s", exit: 4, out: []string{"Bulk delete operations require manager approval"}},
		{name: "waiting when the time is over: 5", as: "agent", command: personal + " --name slow --wait=2s", exit: 5},
		{name: "waited for, denied: 4", as: "agent", command: "kubectl ascend wait bulk", exit: 4},
		{name: "waited for, approved: 0", as: "agent", command: "kubectl ascend wait quick"},
		{name: "waited for, too short: 5", as: "agent", command: "kubectl ascend wait slow --timeout 1s", exit: 5},
		{name: "approved while it is waited for: 0", as: "agent",
			command: "kubectl ascend wait slow --timeout 30s & pid=$!; sleep 1; kubectl approve slow --context alice && wait $pid",
			out:     []string{"approved: slow may run until", "approved by alice"}},
		{name: "its outcome is reported", as: "agent", command: "kubectl ascend actions report slow --succeeded --message '1 row updated'"},
		{name: "withdrawn", as: "agent", command: personal + " --name withdrawn --wait=0 ; kubectl ascend actions cancel withdrawn --yes"},
		{name: "waited for, withdrawn: 7", as: "agent", command: "kubectl ascend wait withdrawn --timeout 30s", exit: 7},
		{name: "a workflow that waits two seconds", as: "admin", command: "kubectl apply -f -", stdin: hurry, out: []string{"created"}},
		{name: "submitted, and nobody decided in time: 6", as: "agent", command: hurried + " --name late --wait=30s", exit: 6, out: []string{"TIMEOUT", "nobody decided in time"}},
		{name: "waited for, nobody decided in time: 6", as: "agent", command: "kubectl ascend wait late -o name", exit: 6, out: []string{"/late\n"}},
		{name: "not approved afterwards", as: "alice", command: "kubectl approve late", exit: 1, errOut: []string{"already decided: TIMEOUT"}},
		{name: "not withdrawn by others", as: "alice", command: "kubectl ascend actions cancel bulk --yes", exit: 1},
		{name: "out of a file", as: "agent", command: "kubectl ascend submit -f - -o name", out: []string{"/from-stdin\n"}, stdin: `{
			"apiVersion": "governance.ascendowkai.com/v1alpha1", "kind": "AgentAction", "metadata": {"name": "from-stdin"},
			"spec": {"agentRef": {"name": "tutorial-agent"}, "actionType": "database_read", "description": "Show categories",
			"parameters": {"table": "categories", "operation": "SELECT", "data_classification": "public"}}}`},
		{name: "in nobody else's name", as: "stranger", command: harmless, exit: 1, errOut: []string{"stranger"}},
	}},
	{"With the key that `make dev` writes down, and no kubeconfig", []scene{
		{name: "the agent sees its actions", as: "nowhere", command: `. "$STACK/env" && ascend actions list --limit 0`, out: []string{"quick", "bulk"}},
		{name: "flags go before it", as: "nowhere", command: `. "$STACK/env" && ascend actions list --context nowhere`, exit: 1, errOut: []string{"127.0.0.1:1"}},
	}},
	{"An agent is registered, and stopped", []scene{
		{name: "not by everybody", as: "stranger", command: "kubectl ascend agents register stock-agent", exit: 1, errOut: []string{"stranger"}},
		{name: "with its account and its rights", as: "admin", command: "kubectl ascend agents register stock-agent --environment sandbox --owner data-team@example.com", out: []string{"stock-agent"}},
		{name: "which kubectl sees", as: "admin", command: "kubectl get agent/stock-agent serviceaccount/stock-agent -o name", out: []string{"/stock-agent\n"}},
		{name: "it is in the list", as: "admin", command: "kubectl ascend agents list", out: []string{"stock-agent", "tutorial-agent"}},
		{name: "its key works", as: "admin", command: withKey + "--name stock-1 --wait=30s", out: []string{"stock-1"}},
		{name: "and is its own", as: "admin", command: "kubectl get agentaction stock-1 -o jsonpath='{.spec.requester.username}'", out: []string{"system:serviceaccount:default:stock-agent"}},
		{name: "it is stopped", as: "admin", command: "kubectl ascend agents suspend stock-agent --reason 'behaves oddly'", out: []string{"stock-agent"}},
		{name: "and may not ask", as: "admin", command: withKey + "--name stock-2 --wait=30s", exit: 1, errOut: []string{"spended"}},
		{name: "it is not resumed without a question", as: "admin", command: "kubectl ascend agents resume stock-agent", exit: 1, errOut: []string{"--yes"}},
		{name: "it is resumed", as: "admin", command: "kubectl ascend agents resume stock-agent --yes", out: []string{"stock-agent"}},
		{name: "and may ask again", as: "admin", command: withKey + "--name stock-3 --wait=30s", out: []string{"stock-3"}},
		{name: "its name completes", as: "admin", command: `kubectl __complete ascend agents suspend ""`, out: []string{"stock-agent"}},
	}},
	{"Several at once", []scene{
		{name: "one", as: "agent", command: personal + " --name first --wait=2s", exit: 5},
		{name: "and another", as: "agent", command: personal + " --name second --wait=2s", exit: 5},
		{name: "are not approved without a question", as: "alice", command: "kubectl approve --agent-id tutorial-agent", exit: 1, errOut: []string{"nothing was approved", "--yes"}},
		{name: "are denied after none", as: "alice", command: "kubectl deny --agent-id tutorial-agent --reason 'not today' --yes", out: []string{"first", "second"}},
		{name: "and are gone from the inbox", as: "alice", command: "kubectl ascend inbox", not: []string{"first", "second"}},
	}},
}
