"""What a stranger may try, case by case, and the tests that hold the app to its answer.

Most of them run on the running app over the request log and the faults of a real embedded Hub, in this folder; others
stand where the part that is attacked is tested. None of the numbers may be missing, and none of the tests.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ID, REPO, HEAD = "abuse/test_identity.py", "abuse/test_repositories.py", "abuse/test_headers.py"
SENT = "abuse/test_requests.py"

IDENTITY = {
    1: ("another website posts to the queue with the visitor's cookie", [
        f"{ID}::test_other_websites_may_send_nothing_with_a_visitors_cookie",
        f"{HEAD}::test_only_the_page_itself_and_what_is_no_browser_come_through_the_door"]),
    2: ("a forged session cookie", [
        f"{ID}::test_a_forged_session_cookie_signs_nobody_in",
        f"{ID}::test_one_s_own_machine_listens_on_loopback_alone",
        f"{HEAD}::test_one_s_own_machine_is_asked_by_its_own_names_alone"]),
    3: ("an anonymous visitor acts with the owner's token", [
        f"{ID}::test_every_request_to_the_hub_carries_the_visitors_own_token_or_none",
        "app/test_hub.py::test_in_public_nobody_acts_with_the_owners_token"]),
    4: ("a library sends the visitor's token to another Space", [
        f"{ID}::test_a_visitor_s_one_run_trains_in_a_process_without_a_secret_and_with_every_switch",
        "abuse/test_network.py::test_no_host_but_this_machine_is_asked_while_the_journey_is_walked"]),
    5: ("a token in the message of an exception", [
        f"{ID}::test_no_token_reaches_a_log_in_a_message_or_in_what_was_raised",
        "service/test_errors.py::test_a_token_in_the_wrong_field_is_not_quoted"]),
    6: ("a token in a run, a checkpoint, a log or any other file", [
        f"{ID}::test_no_token_is_in_any_file_or_log_of_the_app",
        "app/test_strangers.py::test_no_token_reaches_a_log_or_a_run"]),
    7: ("a token read from a process's environment", [
        f"{ID}::test_a_visitor_s_one_run_trains_in_a_process_without_a_secret_and_with_every_switch",
        f"{ID}::test_the_embedded_hub_starts_without_a_secret",
        "service/test_engine.py::test_the_worker_inherits_no_token_and_asks_no_network"]),
    8: ("another visitor's session id", [
        f"{ID}::test_a_session_s_id_does_not_let_another_browser_act_with_its_token",
        f"{HEAD}::test_a_pasted_token_is_for_the_browser_that_pasted_it"]),
    9: ("guessed run ids", [
        "app/test_strangers.py::test_guests_of_a_public_app_are_apart_and_nobody_has_the_owner_s_token",
        "service/test_runs_told.py::test_a_stranger_learns_nothing_of_a_run_by_any_of_its_doors",
        "service/test_runs.py::test_a_run_id_is_no_path"]),
    10: ("another visitor's upload, or a file of the server, by its address", [
        f"{ID}::test_no_file_of_the_server_or_of_the_data_folder_is_served",
        f"{ID}::test_an_upload_that_is_a_page_does_nothing_when_it_is_opened"]),
    11: ("a private model that somebody else has fetched", [
        f"{ID}::test_what_one_visitor_fetched_with_a_token_is_nobody_else_s",
        "service/test_catalog.py::test_a_private_model_is_known_to_its_owner_alone"]),
    12: ("a sign-in that expires in the middle of a push", [
        f"{ID}::test_a_push_whose_session_expired_says_so_and_can_be_repeated"]),
    13: ("two accounts in one browser", [
        f"{ID}::test_the_token_of_the_moment_says_who_acts_in_a_browser_with_two_accounts"]),
    14: ("a push to somebody else's namespace", [
        f"{ID}::test_nothing_is_sent_to_a_namespace_of_somebody_else",
        "service/test_hub.py::test_what_one_may_not_do_is_refused_in_a_sentence"]),
    15: ("weights overwritten by accident", [
        "app/test_hub.py::test_a_failed_push_leaves_the_run_as_it_was_and_is_repeated",
        "service/test_hub.py::test_a_file_is_replaced_only_when_asked",
        "app/test_card_pushes.py::test_a_push_names_its_changes_and_a_moved_card_is_merged"]),
    16: ("a private repository made public", [
        f"{ID}::test_a_push_whose_session_expired_says_so_and_can_be_repeated"]),
    17: ("a repository deleted, moved or shown by a slip or another page", [
        f"{ID}::test_nothing_is_sent_to_a_namespace_of_somebody_else",
        "service/test_hub.py::test_what_one_may_not_do_is_refused_in_a_sentence"]),
    18: ("another Hub's address as an input", [
        f"{ID}::test_no_endpoint_takes_the_address_of_a_hub_or_a_file_of_the_server",
        "service/test_hub.py::test_an_address_is_read_as_the_id_and_the_revision_in_it"]),
    19: ("hidden endpoints and values that no menu offers", [
        f"{ID}::test_values_that_no_menu_offers_are_refused_when_sent_directly",
        f"{ID}::test_a_call_of_nothing_is_refused_in_a_sentence_and_fills_no_log",
        f"{SENT}::test_what_gradio_offers_and_the_page_has_no_use_for_is_closed",
        f"{SENT}::test_any_request_is_answered_without_a_defect",
        "app/test_bad_input.py::test_bad_input_gives_a_sentence",
        "service/test_wrong_types.py::test_a_value_of_a_wrong_type_ends_in_a_sentence_or_an_answer"]),
}  # fmt: skip
MODELS = {
    20: ("paths, addresses and revisions as ids", [
        f"{REPO}::test_what_is_no_id_is_refused_in_a_line_that_names_no_path"]),
    21: ("an id that is a folder of the server", [f"{REPO}::test_a_folder_of_the_server_is_no_model"]),
    22: ("letters that look like others in an id", [
        f"{REPO}::test_what_is_no_id_is_refused_in_a_line_that_names_no_path"]),
    23: ("code in a repository", [
        f"{REPO}::test_a_stranger_s_repository_is_refused_before_more_of_it_is_fetched"]),
    24: ("code that a nested configuration asks for", [
        f"{REPO}::test_a_stranger_s_repository_is_refused_before_more_of_it_is_fetched",
        "service/test_catalog.py::test_a_deeply_nested_configuration_is_looked_through"]),
    25: ("weights as a pickle only", [
        f"{REPO}::test_a_stranger_s_repository_is_refused_before_more_of_it_is_fetched"]),
    26: ("a pickle beside sound weights", [
        f"{REPO}::test_of_a_repository_with_pickles_beside_its_weights_only_the_weights_are_fetched"]),
    27: ("an index of weights that points elsewhere", [
        f"{REPO}::test_a_stranger_s_repository_is_refused_before_more_of_it_is_fetched"]),
    28: ("a model larger than the machine", [
        "service/test_catalog.py::test_a_model_that_is_not_opened_says_why",
        "service/test_catalog.py::test_memory_is_told_in_figures",
        "service/test_inference.py::test_a_model_over_the_limit_is_refused_by_its_size"]),
    29: ("a small configuration that asks for gigabytes", [
        f"{REPO}::test_a_stranger_s_repository_is_refused_before_more_of_it_is_fetched",
        "service/test_runs.py::test_a_model_whose_configuration_asks_for_far_too_much_is_not_built"]),
    30: ("a repository of very many files", [
        f"{REPO}::test_a_stranger_s_repository_is_refused_before_more_of_it_is_fetched"]),
    31: ("file names that leave the repository", [
        f"{REPO}::test_file_names_that_leave_the_repository_are_refused",
        "localhub/test_abuse.py::test_a_path_that_leaves_the_repository_is_refused"]),
    32: ("links among the files", [
        f"{REPO}::test_a_link_among_the_files_leads_nowhere",
        "service/test_data.py::test_a_file_that_cannot_be_read_is_refused_in_words"]),
    33: ("a gated repository", [
        f"{REPO}::test_a_hub_that_fails_is_told_and_the_app_goes_on",
        "service/test_catalog.py::test_a_gated_model_says_what_to_do"]),
    34: ("a repository that goes away in between", [
        f"{REPO}::test_a_repository_or_a_commit_that_went_away_is_told"]),
    35: ("a Hub that is down, slow or asks for a pause", [
        f"{REPO}::test_a_hub_that_fails_is_told_and_the_app_goes_on",
        f"{REPO}::test_a_slow_hub_is_given_up_on_and_does_not_hold_up_the_app"]),
    36: ("a tokenizer that panics", [
        "service/test_inference.py::test_a_hostile_tokenizer_is_told_and_the_worker_lives",
        "service/test_tokens_vocabulary.py::test_a_hostile_tokenizer_ends_in_a_sentence"]),
    37: ("a chat template without an end", [
        "service/test_tokens_chat.py::test_a_template_that_never_ends_is_stopped_and_others_are_answered"]),
    38: ("a tokenizer file of hundreds of megabytes", [
        "service/test_catalog.py::test_a_model_that_is_not_opened_says_why"]),
    39: ("logits that are no numbers, and texts without an end", [
        f"{REPO}::test_inputs_that_are_too_much_or_elsewhere_are_refused",
        "service/test_tasks_generation.py::test_broken_weights_are_told",
        "service/test_inference.py::test_generation_returns_what_it_has_when_the_time_is_up"]),
}  # fmt: skip
INPUTS = {
    40: ("scripts in texts, labels and names", [
        f"{REPO}::test_names_that_a_stranger_chose_arrive_as_they_are_and_as_data",
        "browser/test_bad_input.py::test_what_a_stranger_writes_is_shown_as_text",
        "browser/test_policy.py::test_a_script_that_came_with_content_does_not_run_and_nothing_is_fetched_for_it",
        "app/test_playground_views.py::test_hostile_text_in_a_result_is_shown_as_text",
        "app/test_tokenizer_views.py::test_hostile_text_is_shown_as_text_in_every_view",
        "service/test_about.py::test_what_a_stranger_wrote_is_shown_as_text"]),
    41: ("scripts and pictures from elsewhere in a card", [
        "service/test_hub_cards.py::test_a_card_is_shown_without_pictures_from_elsewhere",
        "service/test_hub_cards.py::test_what_only_pretends_to_be_code_loads_nothing",
        "browser/test_policy.py::test_the_page_lives_with_its_policy_and_asks_no_other_host"]),
    42: ("HTML in a table", [f"{REPO}::test_no_table_of_the_page_draws_html"]),
    43: ("a prompt of megabytes", [
        f"{REPO}::test_inputs_that_are_too_much_or_elsewhere_are_refused",
        f"{REPO}::test_a_request_is_read_only_so_far",
        f"{HEAD}::test_a_body_is_read_only_as_far_as_it_may_be_long"]),
    44: ("images that unpack to gigabytes", [
        "service/test_media.py::test_what_is_no_image_is_refused_in_a_sentence",
        "service/test_media.py::test_a_file_over_the_limit_is_refused_before_it_is_read"]),
    45: ("addresses and paths as images and sounds", [
        f"{REPO}::test_inputs_that_are_too_much_or_elsewhere_are_refused",
        "app/test_inference_endpoint.py::test_a_path_in_a_request_opens_no_file_of_the_server",
        "service/test_values.py::test_a_cell_with_an_image_gives_its_bytes_and_no_path_or_address_is_followed"]),
    46: ("sounds of hours, and of a byte", [
        "service/test_sounds.py::test_what_is_no_sound_or_too_much_of_it_is_refused",
        "service/test_sounds.py::test_what_is_no_video_or_too_much_of_it_is_refused"]),
    47: ("tables that are too large, too wide, broken or packed", [
        "service/test_data.py::test_a_file_that_cannot_be_read_is_refused_in_words",
        "service/test_data.py::test_a_parquet_bomb_is_refused_before_it_is_unpacked",
        f"{REPO}::test_a_request_is_read_only_so_far"]),
    48: ("formulas in the cells of a table that is saved", [
        "service/test_batch.py::test_a_saved_table_holds_the_rows_and_no_formula"]),
    49: ("YAML that unpacks to gigabytes or makes objects", [
        "service/test_card_checks_odd.py::test_a_bomb_of_aliases_is_refused_quickly",
        "service/test_card_document.py::test_metadata_made_to_break_the_editor_is_edited_or_refused_quickly"]),
    50: ("metadata of other forms than the Hub's", [
        "service/test_card_checks_odd.py::test_any_metadata_is_checked",
        "service/test_cards.py::test_what_has_no_metadata_that_can_be_read_has_none",
        "service/test_card_document.py::test_of_a_generated_card_only_the_edited_field_changes"]),
    51: ("templates in the fields of a card", ["service/test_card_checks_odd.py::test_templates_in_a_card_stay_text"]),
    52: ("patterns and texts that take a matcher for ever", [
        "service/test_tokens_vocabulary.py::test_no_pattern_takes_long",
        "service/test_hub_cards.py::test_a_card_of_the_largest_size_is_read_in_no_time"]),
}  # fmt: skip
LOAD = {
    53: ("very many jobs of one visitor", [
        f"{ID}::test_a_visitor_s_one_run_trains_in_a_process_without_a_secret_and_with_every_switch",
        "service/test_runs_queue.py::test_a_visitor_s_runs_are_capped_and_so_are_all_together",
        "service/test_engine.py::test_a_call_that_waits_too_long_for_its_turn_is_told_so",
        "service/test_runs_queue.py::test_runs_that_are_started_at_once_are_capped_too",
        "service/test_runs_queue.py::test_who_is_another_visitor_each_time_has_no_more_runs_than_their_address",
        "service/test_engine.py::test_a_visitor_s_many_long_calls_hold_up_nobody_else",
        "app/test_shares.py::test_a_greedy_visitor_is_refused_in_a_sentence_and_others_are_not",
        "app/test_shares.py::test_who_makes_up_a_new_token_for_each_call_has_no_more_than_their_address",
        "app/test_shares.py::test_a_call_of_the_inference_api_counts_while_it_is_answered",
        "app/test_unread.py::test_a_result_that_nobody_reads_is_dropped_after_a_while"]),
    54: ("a training without an end", [
        "app/test_bad_input.py::test_bad_input_gives_a_sentence",
        "service/test_runs_spec.py::test_a_bad_spec_names_its_field"]),
    55: ("a loss that is no number", [
        "service/test_runs.py::test_a_run_whose_loss_is_no_number_ends_with_advice",
        "service/test_training.py::test_a_loss_that_is_no_number_is_told_at_its_step_and_not_at_the_next_point_of_the_curve"]),
    56: ("a disk that is filled", [
        "service/test_runs_queue.py::test_runs_that_fill_their_owner_s_share_of_the_disk_must_go_first",
        "service/test_training.py::test_a_disk_that_takes_no_more_at_a_checkpoint_leaves_the_one_before",
        "service/test_training.py::test_a_disk_that_takes_no_more_at_the_model_leaves_no_half_of_it",
        f"{REPO}::test_a_disk_that_takes_no_more_is_told_and_costs_no_more_than_the_call",
        f"{HEAD}::test_an_upload_leaves_as_much_of_the_disk_free_as_has_to_be",
        f"{HEAD}::test_a_visitor_uploads_only_so_much_within_an_hour",
        f"{SENT}::test_an_upload_holds_files_and_leaves_none_behind_where_it_is_refused",
        f"{SENT}::test_an_upload_whose_sender_goes_away_leaves_nothing",
        "service/test_fetched.py::test_what_was_not_used_for_longest_makes_room",
        "service/test_fetched.py::test_a_disk_that_is_nearly_full_takes_nothing",
        f"{ID}::test_what_a_session_holds_is_written_to_no_file",
        "localhub/test_durability.py::test_a_full_disk_is_told_and_costs_nothing_but_the_upload"]),
    57: ("a kill in the middle of a checkpoint", [
        "service/test_checkpoints.py::test_a_checkpoint_with_a_torn_file_is_not_whole",
        "service/test_training.py::test_a_byte_that_changed_on_the_disk_is_found_before_a_resume",
        "service/test_runs.py::test_a_killed_run_is_resumed_to_the_figures_of_one_that_was_not"]),
    58: ("a server that starts again in the middle of a run", [
        "app/test_restart.py::test_what_was_acknowledged_outlives_a_kill_of_each_process"]),
    59: ("a worker or a trainer that is out of memory", [
        "service/test_engine.py::test_a_killed_worker_is_told_as_probably_out_of_memory_and_replaced",
        "service/test_training.py::test_a_run_that_wants_more_memory_than_it_may_take_fails_with_a_sentence",
        "app/test_bad_input.py::test_a_worker_killed_in_the_middle_of_a_call_is_replaced"]),
    60: ("processes left behind", [
        "service/test_engine.py::test_the_worker_ends_with_the_web_process",
        "service/test_engine.py::test_closing_a_stream_stops_the_work",
        "service/test_rehearsal.py::test_a_server_that_closes_takes_its_rehearsal_along_and_the_next_one_sweeps",
        "localhub/test_command.py::test_it_ends_with_its_parent"]),
    61: ("two writers of one folder, and two pushes at once", [
        f"{REPO}::test_a_data_folder_has_one_app",
        "localhub/test_durability.py::test_a_second_server_on_one_folder_is_refused",
        "localhub/test_commits.py::test_of_writers_with_one_parent_exactly_one_lands"]),
    62: ("a clock that is set, a cache and a folder that cannot be written", [
        f"{REPO}::test_a_cache_that_cannot_be_written_ends_in_a_sentence",
        f"{REPO}::test_a_data_folder_that_cannot_be_written_is_told_at_the_start",
        "service/test_runs_store.py::test_a_process_id_that_went_to_another_program_is_not_the_trainer",
        "service/test_runs_store.py::test_a_trainer_is_known_again_after_the_clock_was_set",
        "service/test_runs_queue.py::test_a_clock_that_was_set_changes_no_place_in_line"]),
}  # fmt: skip
GROUPS = {"identity and tokens": IDENTITY, "models and repositories": MODELS, "inputs": INPUTS, "load": LOAD}
CASES = [(number, *case) for group in GROUPS.values() for number, case in group.items()]


def test_every_case_has_a_line_and_a_test() -> None:
    assert [number for number, _, _ in CASES] == list(range(1, 63))
    assert all(tests for _, _, tests in CASES)
    assert len({what for _, what, _ in CASES}) == len(CASES)


@cache
def _tests_in(file: str) -> set[str]:
    """The tests that pytest collects from a file; those within a condition, or always skipped, do not count."""
    path = TESTS / file
    assert path.name.startswith("test_"), file
    tree = ast.parse(path.read_text())
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef) and "mark.skip(" not in _marks(one)}


def _marks(function: ast.FunctionDef) -> str:
    return " ".join(ast.unparse(one) for one in function.decorator_list)


@pytest.mark.parametrize(("number", "what", "tests"), CASES, ids=[f"{number} {what}" for number, what, _ in CASES])
def test_the_tests_of_a_case_are_there(number: int, what: str, tests: list[str]) -> None:
    for test in tests:
        file, _, name = test.partition("::")
        assert name in _tests_in(file), test
