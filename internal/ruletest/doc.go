// SPDX-License-Identifier: Apache-2.0

// Package ruletest plays test files against policy: given objects and an action,
// it expects a decision, a rule, a score. It is the engine of
// `ascend rules test`.
//
// # The format
//
// A test file is YAML (or JSON) with one document or more of this kind. Unknown
// fields are errors, with file, line and column; so are cases that expect nothing
// and suites without cases, for they could not fail.
//
//	apiVersion: test.governance.ascendowkai.com/v1alpha1
//	kind: RuleTest
//	metadata:
//	  name: bulk-deletes             # by which reports call the suite
//	policy: [..]                     # files and folders, relative to this file; default: what the
//	                                 # command line names; []: nothing but what is given
//	beside: [../../global]           # more policy that is in effect, and not what is tested: coverage
//	                                 # leaves it out; of two objects of one name, that of policy counts
//	given:                           # objects for these tests, checked as the API server checks them;
//	- kind: Agent                    # apiVersion may be left out, and the namespace is that of defaults
//	  metadata: {name: sandbox}
//	  spec: {environment: sandbox, subjects: [{kind: User, name: bot}]}
//	defaults:                        # for cases that do not say it themselves
//	  agent: sandbox
//	  namespace: default             # default: default
//	  at: "2026-03-04T10:00:00Z"     # default: this, a Wednesday
//	cases:
//	- name: one sentence that says what is promised
//	  agent: sandbox                 # in whose name it is submitted
//	  namespace: default             # where
//	  at: ["2026-03-07T10:00:00Z"]   # when: one time, or several at each of which it has to hold
//	  anyTime: true                  # in place of at: half past every hour of the week from defaults.at on
//	  requester:                     # who submits it; default: the agent's first subject
//	    username: bot
//	    groups: [bots]
//	  action:                        # the spec of an AgentAction, without agentRef
//	    actionType: database_delete
//	    parameters: {table: users, affected_rows: 150}
//	  actionFile: action.yaml        # in place of action: the manifest of an AgentAction, relative to
//	                                 # this file; its agentRef, namespace and requester count where the
//	                                 # case has none of its own
//	  expect:                        # what is left out may be anything
//	    decision: Denied             # Approved, Pending or Denied; APPROVED, PENDING and DENIED will do
//	    reason: RuleDenied           # status.reason
//	    score: "5.3"                 # status.risk.score, .level, .cvssVector and .cvssBaseScore
//	    level: Medium
//	    vector: CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:N/A:N
//	    base: "4.3"
//	    rule: rule-no-bulk-delete    # the deciding rule
//	    message: as in status.message, all of it
//	    messageContains: manager     # or a list, all of which it has to hold
//	    stages: 1                    # how many stages have to be passed; 0: nobody is asked
//	    stage: approval              # the one that waits
//	    approvers: ["group:ascend-approvers"]   # who can approve it: these and nobody else
//	    workflows: [risk-high]       # whose people are asked, or which approve by themselves: these and no others
//	    matched: [rule-a]            # rules that match, whatever else does
//	    not: [rule-b]                # rules that do not match
//	    nearly: [rule-c, {rule: rule-d, condition: bulk}]   # rules that cover the action, with a condition that is false
//
// There is neither skip nor only: a test that is not run tests nothing.
//
// # Names
//
// A rule or workflow is called by its name, or by namespace/name where both the
// global policy and the namespace's have one of that name. A name that does not
// exist, or cannot have an effect on the action, is an error: `not` would
// otherwise hold for ever.
//
// # Agents and who submits
//
// Where neither the policy nor given has any Agent, each namespace has five:
// production, staging, development, test and sandbox, each named after its
// environment, whose subject is the ServiceAccount "agent" of that namespace;
// and sandbox is the one of cases that name none. Otherwise the only Agent of the
// namespace is, where there is just one.
//
// The requester is the agent's first subject as the API server would know it: a
// ServiceAccount with its groups, a user, or for a group a user "group-member" in
// it. Who submits without being a subject is refused by admission; here the
// decision is Denied, for the reason NotASubject.
//
// # What is given
//
// Agents, Namespaces (for their labels) and the RiskModel "default" take the place
// of the policy's. A SmartRule or ApprovalWorkflow must not have the name of one
// in the policy, which would then not be tested.
//
// # What is decided
//
// Each case is decided by internal/decision, as the operator decides when the
// action has just been submitted: nobody has approved anything yet. Policy and
// actions that the API server would refuse, and rules that do not compile, are
// problems, and what they concern is not run. Status reports 64 rules that match
// and 16 near misses at most; more are not seen.
package ruletest
