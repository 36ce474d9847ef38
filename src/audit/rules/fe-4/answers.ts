import type { AnswerClass } from "./answer-class.ts";
import { apiAnswers } from "./api-answers.ts";
import { fileAnswers } from "./file-answers.ts";
import { oddAnswers } from "./odd-answers.ts";

/** Every kind of answer whose headers are looked at. */
export const answers: readonly AnswerClass[] = [...fileAnswers, ...oddAnswers, ...apiAnswers];
