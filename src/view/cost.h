/* Costs of a workspace's recordings at Twilio and in S3, now and with a lifecycle.
 * storage/cost.h has the rules. Amounts are of a month, in the prices' currency. */
#pragma once

#include "storage/cost.h"
#include "view/view.h"

#define VIEW_COST_CLASSES_LIMIT 24

struct view_cost {
	char workspace[CATALOG_NAME_SIZE];
	const struct cost_prices *prices; /* the caller's */
	struct s3_transition transitions[S3_TRANSITIONS_LIMIT];
	size_t transition_count;
	bool is_rule_set; /* by `storage lifecycle set`; else the rule is an example */

	int64_t recordings, unpriced; /* unpriced: in classes that the prices do not have */
	int64_t twilio_recordings, twilio_minutes;
	int64_t unknown_minutes; /* recordings of unknown duration, not among the minutes */
	double twilio, s3, all_in_s3,
		all_in_s3_ruled; /* ruled: a twelfth of the next twelve months */

	struct view_cost_class {
		char name[32];
		int64_t recordings, size_bytes;
		double s3;
		bool is_unknown; /* the prices do not have it */
	} classes[VIEW_COST_CLASSES_LIMIT];
	size_t class_count;
	struct view_cost_campaign {
		int64_t folder_id;
		char name[CATALOG_NAME_SIZE]; /* as it is shown */
		int64_t recordings, twilio_minutes, size_bytes;
		double twilio; /* its share of the bill: the free minutes are the account's */
		double s3, all_in_s3, all_in_s3_ruled;
	} *campaigns;
	size_t campaign_count;
};
/* given: the lifecycle to compute with; with given_count 0, the one that was set, else an example.
 * Reads every recording of the workspace: seconds for a million. */
int view_cost_load(struct catalog *catalog, const struct catalog_workspace *workspace,
		   const struct cost_prices *prices, const struct s3_transition *given,
		   size_t given_count, struct view_cost *ret_cost);
struct json_t *view_cost_json(const struct view_cost *cost);
void view_cost_release(struct view_cost *cost);
#define cleanup_view_cost __attribute__((cleanup(view_cost_release)))

struct json_t *view_prices_json(const struct cost_prices *prices);
