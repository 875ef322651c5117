// SPDX-License-Identifier: Apache-2.0

package main

import "github.com/ow-kai/ascend-operator/api/v1alpha1"

// who runs a command.
type who int

const (
	theAgent  who = iota // with the token of its ServiceAccount
	thePerson            // impersonated by the administrator, as --as says
	theAdmin
)

// scene is one command of the story, and what has to become of an action then.
type scene struct {
	before  string // prose
	command string
	by      who
	// settle, if given, is a resource that has to be Ready before the story goes on.
	settle string
	// action whose decision is awaited; empty: none.
	action string
	expect expectation
	// refused, if given, are words of the refusal with which the command has to fail.
	refused string
}

// chapter is a part of the story.
type chapter struct {
	title  string
	scenes []scene
}

const approveCommand = `kubectl approve update-billing-address --comment "Verified by phone" --as alice --as-group ascend-approvers`

// chapters tell the tutorial. The expectations are the fixed points of
// docs/scoring.md.
func chapters(strict bool) []chapter {
	medium := v1alpha1.DecisionApproved
	if strict {
		medium = v1alpha1.DecisionPending
	}
	customers := expectation{decision: medium, score: "5.3", level: v1alpha1.RiskLevelMedium, vector: readVector, base: "4.3"}
	story := []chapter{
		submission("A read of public data is approved at once", "read-categories",
			expectation{decision: v1alpha1.DecisionApproved, score: "2.1", level: v1alpha1.RiskLevelLow}),
		submission("Personal data weighs more", "read-customers", customers),
		changeWithApproval(),
		submission("A rule denies what goes too far", "delete-inactive-users", expectation{
			decision: v1alpha1.DecisionDenied,
			rule:     "rule-no-bulk-delete",
			title:    "Block Bulk Deletions",
			message:  "Bulk delete operations require manager approval",
		}),
		submission("A production agent that does not classify its data", "read-orders", expectation{decision: medium}),
	}
	if !strict {
		story = append(story, strictMode(customers))
	}
	return story
}

// submission is a chapter of one action that the agent submits.
func submission(title, action string, expect expectation) chapter {
	return chapter{title: title, scenes: []scene{{
		command: "kubectl apply -f config/samples/" + action + ".yaml", by: theAgent, action: action, expect: expect,
	}}}
}

// changeWithApproval is the chapter in which a person has to agree, and the
// agent itself cannot.
func changeWithApproval() chapter {
	c := submission("A change of personal data waits for a person", "update-billing-address",
		expectation{decision: v1alpha1.DecisionPending, score: "7.2", level: v1alpha1.RiskLevelHigh})
	c.scenes = append(c.scenes, scene{
		before:  "Could the agent agree to that itself?",
		command: "kubectl approve update-billing-address", by: theAgent,
		refused: "submitted this action",
	}, scene{
		before:  "alice, of the group ascend-approvers, looks at it and agrees:",
		command: approveCommand, by: thePerson,
		action: "update-billing-address",
		expect: expectation{decision: v1alpha1.DecisionApproved, score: "7.2", level: v1alpha1.RiskLevelHigh},
	})
	return c
}

// strictMode submits an action once more, under a stricter policy.
func strictMode(customers expectation) chapter {
	customers.decision = v1alpha1.DecisionPending
	return chapter{title: "In strict mode a person sees what is Medium, too", scenes: []scene{
		{
			command: "kubectl apply -k " + strictPolicyFolder + " | grep -v unchanged", by: theAdmin,
			settle: "approvalworkflows/risk-medium",
		},
		{
			command: "sed 's/name: read-customers/&-strict/' config/samples/read-customers.yaml | kubectl apply -f -", by: theAgent,
			action: "read-customers-strict", expect: customers,
		},
	}}
}
