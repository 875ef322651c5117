// SPDX-License-Identifier: Apache-2.0

// Package simulate makes past decisions again under other policy, and says
// which of them come out differently, and why.
//
// # What is compared
//
// What policy said, not what people made of it. Policy says Approved, Pending
// (people have to agree) or Denied. An action that people approved, denied,
// let time out or overrode was Pending by policy, and so was one that its
// requester cancelled while people were asked. Whether the kill switch has since
// withdrawn an approval does not matter. An action that policy never
// judged is passed over and counted: NotAdmitted, InvalidRequest, not decided
// yet, cancelled before anybody looked. The whole table is in said.go.
//
// Where policy has judged an action several times, because rules changed while it
// waited, the last time counts; in an audit log that is the last record, by
// its time, in which policy decided. A limit or the state of an Agent is policy, too.
//
// # How it is replayed
//
// With what was asked, by the requester who asked, at the moment of submission,
// and as if nobody had agreed to anything yet. Conditions of rules read that
// moment as now, as they always do. notBefore and notAfter are held against it, too: a
// rule that begins to be active only after the past actions were submitted
// has no effect on them, so leave notBefore out of a rule that is to be tried.
//
// Policy is all that the snapshot has: rules, workflows, the risk model, and
// Agents. Where it lacks the Agent or the namespace of an action, those of
// the audit record stand in. Where there is no Agent to be had the action is not
// replayed, unless it was denied for just that.
//
// An audit log is believed as it stands: whether its chain is whole is another
// question. So is spec.requester of the actions in a cluster.
package simulate
