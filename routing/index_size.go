package routing

// maxRows bounds the trace of a plan. Hand-made policies stay far below: a hundred rows need five numbers that all hand
// calls on. Without the bound, a policy that repeats its forwarding step multiplies with every number on the way.
const maxRows = 5000

// checkSizes refuses numbers whose plan could grow past maxRows.
func (c *compiler) checkSizes() {
	known := map[sizeKey]int{}
	for _, n := range c.numbers {
		if c.rows(n, 0, known) > maxRows {
			c.problem("number %s: its plan could have more than %d steps, by the numbers that it hands calls on to; repeat fewer steps in policy %s",
				n.Number.Number, maxRows, n.PolicyName())
		}
	}
}

type sizeKey struct {
	number *Number
	depth  int
}

// rows is how many rows the plan of a number can have at most, as part of another plan at this depth.
func (c *compiler) rows(n *Number, depth int, known map[sizeKey]int) int {
	policy := c.policies[n.PolicyName()]
	if policy == nil {
		return 0
	}
	key := sizeKey{n, depth}
	if rows, ok := known[key]; ok {
		return rows
	}
	line := func(e164 string) int {
		inner := c.byNumber[e164]
		if inner == nil || depth == maxDepth {
			return 0
		}
		return c.rows(inner, depth+1, known)
	}
	total := len(policy.Steps)
	for _, step := range policy.Steps {
		switch step.Step {
		case StepForwarding:
			total += line(n.forwardTo)
		case StepCompanyPhone:
			total += line(c.company.Phone)
		case StepUnknownRules:
			longest := 0
			for _, r := range n.rules {
				longest = max(longest, line(r.another))
			}
			if n.defaultRule != nil {
				longest = max(longest, line(n.defaultRule.another))
			}
			total += longest
		}
	}
	known[key] = min(total, maxRows+1)
	return known[key]
}
