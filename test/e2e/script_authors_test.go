// SPDX-License-Identifier: Apache-2.0

package e2e

// broken is a rule with a condition that does not compile.
const broken = `apiVersion: governance.ascendowkai.com/v1alpha1
kind: SmartRule
metadata: {name: broken}
spec:
  displayName: Broken
  effect: Deny
  reason: It cannot be
  conditions:
  - name: typo
    expression: action.nothing > 1
`

// authoring is what people do who write rules. Files need no cluster.
var authoring = []chapter{
	{"Rules as code", []scene{
		{name: "the starter policy is valid", as: "nowhere", command: "kubectl ascend rules validate config/starter-policy"},
		{name: "a broken rule is found: 3", as: "nowhere", command: "kubectl ascend rules validate -", stdin: broken, exit: 3, out: []string{"stdin:10:", "spec.conditions[0].expression", "nothing"}},
		{name: "no such folder: failed", as: "nowhere", command: "kubectl ascend rules validate no/such/folder", exit: 1, errOut: []string{"no/such/folder"}},
		{name: "the starter policy passes its tests", as: "nowhere", command: "kubectl ascend rules test config/starter-policy", out: []string{" passed, 0 failed"}},
		{name: "for CI", as: "nowhere", command: "kubectl ascend rules test config/starter-policy -o junit", out: []string{"<testsuites"}, not: []string{"<failure"}},
		{name: "a rule in words, out of files", as: "nowhere", command: "kubectl ascend rules explain rule-no-bulk-delete --rules config/starter-policy", out: []string{"Block Bulk Deletions"}},
		{name: "and out of the cluster", as: "dave", command: "kubectl ascend rules explain rule-no-bulk-delete", out: []string{"Block Bulk Deletions"}},
	}},
	{"Past actions under other rules", []scene{
		{name: "the agent reads personal data", as: "agent", command: "kubectl apply -f config/samples/read-customers.yaml", out: []string{"created"}},
		{name: "it is approved at once", as: "admin", command: decided("read-customers", "Approved")},
		{name: "the same rules change nothing", as: "admin", command: "kubectl ascend simulate --rules config/starter-policy"},
		{name: "stricter ones do: 3", as: "admin", command: "kubectl ascend simulate --rules config/starter-policy-strict", exit: 3, out: []string{"read-customers", "risk-medium"}},
		{name: "which is no failure where only laxer ones are", as: "admin", command: "kubectl ascend simulate --rules config/starter-policy-strict --fail-on loosened"},
	}},
}
